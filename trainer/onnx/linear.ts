import { DEVIATIONS_MAX, type Scale, type Standardisation } from '../core/standardise.js';
import type { LinearModel } from '../core/linear-model.js';
import { constant, INPUT_NAME, int, joined, type Node, type Part } from './graph.js';

const FLOAT = 1;
const node = (operator: string, inputs: readonly string[], output: string, attributes: Node['attributes'] = []): Node => ({ operator, inputs, outputs: [output], attributes });

/** Logistic regression on standardised features: features and their signed logarithms, scaled and bounded, indicators of what is missing, then x · w + b. */
export function linearPart({ columns, plain, log, missing, missing_value }: Standardisation, { weights, bias }: LinearModel, output: string): Part {
  const indicators = new Float32Array(columns);
  missing.forEach((column, i) => { indicators[column] = weights[2 * columns + i]! * missing_value[i]!; });
  const common: Part = {
    nodes: [
      node('IsNaN', [INPUT_NAME], 'is_missing'),
      node('Abs', [INPUT_NAME], 'magnitude'),
      node('Add', ['magnitude', 'one'], 'magnitude_1'),
      node('Log', ['magnitude_1'], 'magnitude_log'),
      node('Sign', [INPUT_NAME], 'sign'),
      node('Mul', ['sign', 'magnitude_log'], 'signed_log'),
    ],
    constants: [constant('zero', [0], []), constant('one', [1], []), constant('deviations_min', [-DEVIATIONS_MAX], []), constant('deviations_max', [DEVIATIONS_MAX], [])],
  };
  const sum: Part = {
    nodes: [
      // The weight of an indicator column counts where the feature is missing.
      node('Cast', ['is_missing'], 'indicators', [int('to', FLOAT)]),
      node('MatMul', ['indicators', 'indicator_weights'], 'indicated'),
      node('Add', ['plain_weighed', 'log_weighed'], 'weighed'),
      node('Add', ['weighed', 'indicated'], 'weighed_all'),
      node('Add', ['weighed_all', 'bias'], 'log_odds'),
      node('Sigmoid', ['log_odds'], output),
    ],
    constants: [constant('indicator_weights', indicators, [columns, 1]), constant('bias', [bias])],
  };
  return joined(
    common,
    weighed('plain', INPUT_NAME, plain, weights.subarray(0, columns)),
    weighed('log', 'signed_log', log, weights.subarray(columns, 2 * columns)),
    sum,
  );
}

/** One set of columns: centre, scale, bounds, the mean where a value is missing, times its weights. */
function weighed(name: string, input: string, { mean, deviation }: Scale, weights: Float32Array): Part {
  return {
    nodes: [
      node('Sub', [input, `${name}_mean`], `${name}_centred`),
      node('Div', [`${name}_centred`, `${name}_deviation`], `${name}_scaled`),
      node('Clip', [`${name}_scaled`, 'deviations_min', 'deviations_max'], `${name}_bounded`),
      node('Where', ['is_missing', 'zero', `${name}_bounded`], `${name}_ready`),
      node('MatMul', [`${name}_ready`, `${name}_weights`], `${name}_weighed`),
    ],
    constants: [constant(`${name}_mean`, mean), constant(`${name}_deviation`, deviation), constant(`${name}_weights`, weights, [weights.length, 1])],
  };
}
