import type { OnnxGraph } from './graph.js';
import { UnknownForm } from './trees.js';

export const CALIBRATIONS = ['none', 'platt', 'isotonic'] as const;
export type CalibrationMethod = (typeof CALIBRATIONS)[number];

/** What stands between a model's own probability and its score: the arithmetic of trainer/onnx/calibration.ts, read back. */
export interface Calibration {
  readonly method: CalibrationMethod;
  apply(probability: number): number;
}

export const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));

/** @param after the operators behind the probability */
export function readCalibration(graph: OnnxGraph, after: readonly string[]): Calibration {
  const operators = after.join(' ');
  if (operators === '' || operators === 'Identity') return { method: 'none', apply: (p) => p };
  const values = (name: string): Float64Array => {
    const found = graph.constant(name);
    if (found === undefined || found.length === 0) throw new UnknownForm(`its calibration has no constant ${name}`);
    return found;
  };
  if (operators === 'Clip Log Sub Log Sub Mul Add Sigmoid') {
    const [low, high, slope, shift] = ['odds_min', 'odds_max', 'slope', 'shift'].map((name) => values(name)[0]!) as [number, number, number, number];
    return {
      method: 'platt',
      apply(p) {
        const kept = Math.min(high, Math.max(low, p));
        return sigmoid(slope * Math.log(kept / (1 - kept)) + shift);
      },
    };
  }
  if (operators === 'Sub Div Clip MatMul Add') {
    const [from, width, height] = [values('step_from'), values('step_width'), values('step_height')];
    const first = values('first_rate')[0]!;
    return { method: 'isotonic', apply: (p) => from.reduce((sum, start, i) => sum + height[i]! * Math.min(1, Math.max(0, (p - start) / width[i]!)), first) };
  }
  throw new UnknownForm(`what follows its sum (${operators}) is not known`);
}
