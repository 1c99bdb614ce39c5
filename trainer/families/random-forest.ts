import type { Family } from './family.js';
import { preparedTrees } from './xgboost.js';

/**
 * A forest of deep trees (Breiman 2001), grown in one round of XGBoost: every tree on its own part of the rows, a few
 * features at each split. With squared error, rate 1 and no regularisation a leaf is the churn rate of its rows and the
 * forest the mean of its trees, as in the original; splits by variance are splits by the Gini index of two classes.
 */
export const randomForest: Family = {
  name: 'random_forest',
  starts: (rows) => [{ trees: TREES, max_depth: 12, min_child_weight: leafRows(rows), subsample: 0.632, features_share: 0.2 }],
  space: (rows) => [
    { name: 'min_child_weight', min: Math.max(5, leafRows(rows) / 3), max: leafRows(rows) * 3, scale: 'log', whole: true },
    { name: 'features_share', min: 0.15, max: 0.6, scale: 'linear' },
  ],
  trials_max: 4,
  prepare: ({ feature_names }) => preparedTrees(feature_names.length),
  booster({ trees, features_share, ...hyper }) {
    return {
      objective: 'reg:squarederror', eval_metric: 'rmse', tree_method: 'hist', learning_rate: 1, reg_lambda: 0, num_parallel_tree: trees!, colsample_bynode: features_share!, ...hyper,
    };
  },
  rounds: () => ({ most: 1, patience: null }),
};

/** Rows in a leaf at least: 20 to 100, so that its rate means something. */
const leafRows = (rows: number): number => Math.min(100, Math.max(20, Math.round(rows * 0.003)));
/** More of them only make the file larger and the scoring slower. */
const TREES = 200;
