import { DEVIATIONS_MAX, type Standardisation } from '../core/standardise.js';
import type { LinearModel } from '../core/linear-model.js';
import { constant, INPUT_NAME, int, type Node, type Part } from './graph.js';

const FLOAT = 1;
const node = (operator: string, inputs: readonly string[], output: string, attributes: Node['attributes'] = []): Node => ({ operator, inputs, outputs: [output], attributes });

/** Logistic regression on standardised features: scaled and bounded, the mean where a value is missing, indicators of what is missing, then x · w + b. */
export function linearPart({ columns, mean, deviation, missing, missing_value }: Standardisation, { weights, bias }: LinearModel, output: string): Part {
  const indicators = new Float32Array(columns);
  missing.forEach((column, i) => { indicators[column] = weights[columns + i]! * missing_value[i]!; });
  return {
    nodes: [
      node('IsNaN', [INPUT_NAME], 'is_missing'),
      node('Sub', [INPUT_NAME, 'mean'], 'centred'),
      node('Div', ['centred', 'deviation'], 'scaled'),
      node('Clip', ['scaled', 'deviations_min', 'deviations_max'], 'bounded'),
      node('Where', ['is_missing', 'zero', 'bounded'], 'ready'),
      node('MatMul', ['ready', 'weights'], 'weighed'),
      // The weight of an indicator column counts where the feature is missing.
      node('Cast', ['is_missing'], 'indicators', [int('to', FLOAT)]),
      node('MatMul', ['indicators', 'indicator_weights'], 'indicated'),
      node('Add', ['weighed', 'indicated'], 'weighed_all'),
      node('Add', ['weighed_all', 'bias'], 'log_odds'),
      node('Sigmoid', ['log_odds'], output),
    ],
    constants: [
      constant('zero', [0], []), constant('deviations_min', [-DEVIATIONS_MAX], []), constant('deviations_max', [DEVIATIONS_MAX], []),
      constant('mean', mean), constant('deviation', deviation), constant('weights', weights.subarray(0, columns), [columns, 1]),
      constant('indicator_weights', indicators, [columns, 1]), constant('bias', [bias]),
    ],
  };
}
