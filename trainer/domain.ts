import type { DomainClassifier } from '../schemas/drift/domain.js';
import type { Xgboost } from './xgboost/capi.js';
import { createBooster } from './xgboost/booster.js';
import { createMatrix, type Rows } from './xgboost/matrix.js';

/** Enough to see a shift, and quickly: what is wanted is a difference, not the best model of it. */
const ROUNDS = 40;
const PARAMETERS = { objective: 'binary:logistic', tree_method: 'hist', max_depth: 4, eta: 0.2, min_child_weight: 5, subsample: 0.8, colsample_bytree: 0.8 };

/** XGBoost as a classifier that tells two samples apart, each fold scored by a model of the others. @param threads of XGBoost @param signal ends it between two rounds */
export function domainClassifier(library: Xgboost, threads: number, signal?: AbortSignal): DomainClassifier {
  return async (all, seed) => {
    const scores = new Float32Array(all.rows);
    for (const fold of new Set(all.folds)) {
      const inside: number[] = [];
      const outside: number[] = [];
      for (let row = 0; row < all.rows; row++) (all.folds[row] === fold ? inside : outside).push(row);
      const pick = (rows: readonly number[]): Rows => {
        const columns = all.feature_names.length;
        const values = new Float32Array(rows.length * columns);
        rows.forEach((row, i) => values.set(all.values.subarray(row * columns, (row + 1) * columns), i * columns));
        return { values, rows: rows.length, columns, labels: Float32Array.from(rows, (row) => all.labels[row]!) };
      };
      if (outside.length === 0) continue;
      const train = createMatrix(library, pick(outside), threads);
      const test = createMatrix(library, pick(inside), threads);
      const booster = createBooster(library, { ...PARAMETERS, seed, nthread: threads }, [train]);
      try {
        for (let round = 0; round < ROUNDS; round++) {
          signal?.throwIfAborted();
          await booster.update(round, train);
        }
        const predicted = await booster.predict(test);
        inside.forEach((row, i) => { scores[row] = predicted[i]!; });
      } finally {
        booster.free();
        train.free();
        test.free();
      }
    }
    return scores;
  };
}
