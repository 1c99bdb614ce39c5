import { parseLinearModel } from '../core/linear-model.js';
import { fitStandardisation, standardise, widthOf } from '../core/standardise.js';
import { linearPart } from '../onnx/linear.js';
import type { Family } from './family.js';

/** Logistic regression on standardised features with a ridge, by XGBoost's coordinate descent. */
export const logisticRegression: Family = {
  name: 'logistic_regression',
  starts: () => [{ rounds_max: 60, reg_lambda: 0.02 }, { rounds_max: 60, reg_lambda: 0.1 }, { rounds_max: 60, reg_lambda: 0.005 }],
  space: () => [{ name: 'reg_lambda', min: 1e-3, max: 0.3, scale: 'log' }],
  trials_max: 5,
  prepare(train) {
    const columns = train.feature_names.length;
    const standardisation = fitStandardisation(train.values, train.rows, columns);
    return {
      transform: ({ values, rows, labels }) => ({ values: standardise(standardisation, values, rows), rows, columns: widthOf(standardisation), labels }),
      part: (json, output) => linearPart(standardisation, parseLinearModel(json), output),
      // On standardised columns a weight is what one deviation does; all columns of a feature belong to it.
      weights(json) {
        const { weights } = parseLinearModel(json);
        return Float64Array.from({ length: columns }, (_, column) => {
          const indicator = standardisation.missing.indexOf(column);
          return Math.abs(weights[column]!) + Math.abs(weights[columns + column]!) + (indicator < 0 ? 0 : Math.abs(weights[2 * columns + indicator]!));
        });
      },
    };
  },
  booster: ({ reg_lambda }) => ({
    booster: 'gblinear', updater: 'coord_descent', feature_selector: 'cyclic', objective: 'binary:logistic', eval_metric: 'logloss', learning_rate: 1, tolerance: 1e-3, reg_lambda: reg_lambda!,
  }),
  rounds: ({ rounds_max }) => ({ most: rounds_max!, patience: null }),
  threads: 1,
};
