import { UnknownForm } from '../../../schemas/onnx/trees.js';
import type { OnnxGraph } from '../../../schemas/onnx/graph.js';

/** Contributions of a linear model, as gblinear's pred_contribs: weight times value of each of its columns, which are standardised. */
export interface Linear {
  readonly expected: number;
  addTo(row: Float32Array, at: number, out: Float64Array): void;
}

/** The operators that the trainer writes for its logistic regression, before calibration (trainer/onnx/linear.ts). */
const OPERATORS = ['IsNaN', 'Sub', 'Div', 'Clip', 'Where', 'MatMul', 'Cast', 'MatMul', 'Add', 'Add', 'Sigmoid'];

export const isLinear = ({ nodes }: OnnxGraph): boolean => OPERATORS.every((operator, i) => nodes[i]?.operator === operator);
export const LINEAR_OPERATORS = OPERATORS.length;

/**
 * A feature is centred and scaled, so that weight times value is coefficient times (value - mean); a missing value is the mean,
 * and adds the weight of its indicator.
 */
export function readLinear(graph: OnnxGraph, columns: number): Linear {
  const vector = (name: string, length: number): Float64Array => {
    const values = graph.constant(name);
    if (values?.length !== length) throw new UnknownForm(`its constant ${name} has ${values?.length ?? 'no'} values, expected ${length}`);
    return values;
  };
  const [low] = vector('deviations_min', 1) as unknown as [number];
  const [high] = vector('deviations_max', 1) as unknown as [number];
  const [mean, deviation, weights] = [vector('mean', columns), vector('deviation', columns), vector('weights', columns)];
  const indicators = vector('indicator_weights', columns);
  const [expected] = vector('bias', 1) as unknown as [number];
  return {
    expected,
    addTo(row, at, out) {
      for (let i = 0; i < columns; i++) {
        const value = row[at + i]!;
        out[i]! += Number.isNaN(value) ? indicators[i]! : weights[i]! * Math.min(high, Math.max(low, (value - mean[i]!) / deviation[i]!));
      }
    },
  };
}
