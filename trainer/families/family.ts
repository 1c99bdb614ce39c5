import type { Dimension, Hyper } from '../core/search.js';
import type { Part } from '../onnx/graph.js';
import type { LabelledRows } from '../rows.js';
import type { BoosterParameters } from '../xgboost/booster.js';
import type { Rows } from '../xgboost/matrix.js';

export const FAMILIES = ['xgboost', 'random_forest', 'logistic_regression'] as const;
export type FamilyName = (typeof FAMILIES)[number];

/** What rows go through before they reach the library, learnt from training rows alone. */
export interface Preparation {
  transform(rows: LabelledRows): Rows;
  /** The graph from the model's input to its probability. @param json the model as the library saves it */
  part(json: string, output: string): Part;
  /** What each feature weighs in the model, in the features' order. */
  weights(json: string): ArrayLike<number>;
}

/** A way to train: what differs between the families. All of them are boosters of XGBoost, so that training, early stopping and prediction are one code. */
export interface Family {
  readonly name: FamilyName;
  /** The first trials for so many training rows: what usually does. */
  starts(rows: number): readonly [Hyper, ...Hyper[]];
  /** Where the search looks beyond them. */
  space(rows: number): readonly Dimension[];
  /** More trials of it would only find the same again. */
  readonly trials_max: number;
  prepare(train: LabelledRows): Preparation;
  /** @param size of the matrix that is trained on */
  booster(hyper: Hyper, size: { readonly rows: number; readonly columns: number }): BoosterParameters;
  /** Rounds at most, and how many without a better log loss end it; null: none are counted, all rounds are made. */
  rounds(hyper: Hyper): { readonly most: number; readonly patience: number | null };
  /** Threads that may take part where the result depends on their number; undefined: any. */
  readonly threads?: number;
}
