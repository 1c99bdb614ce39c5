import { parseLinearModel } from '../core/linear-model.js';
import { fitStandardisation, standardise, widthOf } from '../core/standardise.js';
import { linearPart } from '../onnx/linear.js';
import type { Family } from './family.js';

/**
 * Logistic regression on standardised features with a ridge, by XGBoost's coordinate descent. `ridge` is the penalty beside the
 * whole sum of losses, as 1/C elsewhere: what suits a fold of few rows then suits all of them. XGBoost's own is by row, and
 * would grow with them.
 */
export const logisticRegression: Family = {
  name: 'logistic_regression',
  starts: () => [{ rounds_max: 60, ridge: 500 }, { rounds_max: 60, ridge: 100 }, { rounds_max: 60, ridge: 2000 }],
  space: () => [{ name: 'ridge', min: 3, max: 3000, scale: 'log' }],
  trials_max: 8,
  prepare(train) {
    const columns = train.feature_names.length;
    const standardisation = fitStandardisation(train.values, train.rows, columns);
    return {
      transform: ({ values, rows, labels }) => ({ values: standardise(standardisation, values, rows), rows, columns: widthOf(standardisation), labels }),
      part: (json, output) => linearPart(standardisation, parseLinearModel(json), output),
      // On standardised columns a weight is what one deviation does; a feature's indicator belongs to it.
      weights(json) {
        const { weights } = parseLinearModel(json);
        return Float64Array.from({ length: columns }, (_, column) => {
          const indicator = standardisation.missing.indexOf(column);
          return Math.abs(weights[column]!) + (indicator < 0 ? 0 : Math.abs(weights[columns + indicator]!));
        });
      },
    };
  },
  booster: ({ ridge }, { rows }) => ({
    booster: 'gblinear', updater: 'coord_descent', feature_selector: 'cyclic', objective: 'binary:logistic', eval_metric: 'logloss', learning_rate: 1, tolerance: 1e-3, reg_lambda: ridge! / rows,
  }),
  rounds: ({ rounds_max }) => ({ most: rounds_max!, patience: null }),
  threads: 1,
};
