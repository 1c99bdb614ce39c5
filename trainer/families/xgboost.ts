import { gainsOf } from '../core/tree-ensemble.js';
import { treesPart } from '../onnx/from-xgboost.js';
import { asMatrixRows } from '../rows.js';
import type { Family, Preparation } from './family.js';

/** Trees take the rows as they are, missing values included. */
export function preparedTrees(features: number): Preparation {
  return { transform: asMatrixRows, part: (json, output) => treesPart(json, features, output), weights: gainsOf };
}

/** Where there is nothing to choose the number by. */
export const ROUNDS_UNTUNED = 100;

/**
 * Gradient-boosted trees with a low rate and heavy leaves: rows of one customer at many moments resemble each other, and finer
 * trees learn customers by heart. How deep trees may go differs with the history: purchases alone want 2, many kinds of events
 * 4 and more. The leaf weight follows the rows, so that a small history can still be split.
 */
export const xgboost: Family = {
  name: 'xgboost',
  starts(rows) {
    const start = { rounds_max: 500, early_stopping_rounds: 30, max_depth: 4, learning_rate: 0.05, min_child_weight: leafWeight(rows), subsample: 0.8, colsample_bytree: 0.8, reg_lambda: 1 };
    return [start, { ...start, max_depth: 2 }];
  },
  space: (rows) => [
    { name: 'max_depth', min: 2, max: 6, scale: 'linear', whole: true },
    { name: 'learning_rate', min: 0.03, max: 0.15, scale: 'log' },
    { name: 'min_child_weight', min: Math.max(1, leafWeight(rows) / 5), max: leafWeight(rows) * 3, scale: 'log' },
    { name: 'subsample', min: 0.5, max: 1, scale: 'linear' },
    { name: 'colsample_bytree', min: 0.4, max: 1, scale: 'linear' },
    { name: 'reg_lambda', min: 0.3, max: 30, scale: 'log' },
  ],
  trials_max: 1000,
  prepare: ({ feature_names }) => preparedTrees(feature_names.length),
  booster({ rounds_max, early_stopping_rounds, ...hyper }) {
    return { objective: 'binary:logistic', eval_metric: 'logloss', tree_method: 'hist', ...hyper };
  },
  rounds: ({ rounds_max, early_stopping_rounds }) => ({ most: rounds_max!, patience: early_stopping_rounds! }),
};

const leafWeight = (rows: number): number => Math.min(50, Math.max(1, Math.round(rows * 0.003)));
