import { NotExplainable } from './trees.js';
import type { OnnxGraph } from './onnx-graph.js';

/** Contributions of a linear model, as gblinear's pred_contribs: weight times value of each of its columns, which are standardised. */
export interface Linear {
  readonly expected: number;
  addTo(row: Float32Array, at: number, out: Float64Array): void;
}

/** The operators that the trainer writes for its logistic regression, before calibration (trainer/onnx/linear.ts). */
const WEIGHED = ['Sub', 'Div', 'Clip', 'Where', 'MatMul'];
const OPERATORS = ['IsNaN', 'Abs', 'Add', 'Log', 'Sign', 'Mul', ...WEIGHED, ...WEIGHED, 'Cast', 'MatMul', 'Add', 'Add', 'Add', 'Sigmoid'];

export const isLinear = ({ nodes }: OnnxGraph): boolean => OPERATORS.every((operator, i) => nodes[i]?.operator === operator);
export const LINEAR_OPERATORS = OPERATORS.length;

/**
 * A feature counts as it is and by its signed logarithm, both centred and scaled, so that weight times value is coefficient
 * times (value - mean); a missing value is the mean, and adds the weight of its indicator.
 */
export function readLinear(graph: OnnxGraph, columns: number): Linear {
  const vector = (name: string, length: number): Float64Array => {
    const values = graph.constant(name);
    if (values?.length !== length) throw new NotExplainable(`its constant ${name} has ${values?.length ?? 'no'} values, expected ${length}`);
    return values;
  };
  const [low] = vector('deviations_min', 1) as unknown as [number];
  const [high] = vector('deviations_max', 1) as unknown as [number];
  const scaleOf = (name: string) => ({ mean: vector(`${name}_mean`, columns), deviation: vector(`${name}_deviation`, columns), weights: vector(`${name}_weights`, columns) });
  const plain = scaleOf('plain');
  const log = scaleOf('log');
  const indicators = vector('indicator_weights', columns);
  const [expected] = vector('bias', 1) as unknown as [number];
  const weighed = (value: number, { mean, deviation, weights }: typeof plain, i: number): number =>
    weights[i]! * Math.min(high, Math.max(low, (value - mean[i]!) / deviation[i]!));
  return {
    expected,
    addTo(row, at, out) {
      for (let i = 0; i < columns; i++) {
        const value = row[at + i]!;
        // The logarithm in float32, as the graph takes it.
        out[i]! += Number.isNaN(value) ? indicators[i]! : weighed(value, plain, i) + weighed(Math.sign(value) * Math.fround(Math.log(Math.fround(1 + Math.abs(value)))), log, i);
      }
    },
  };
}
