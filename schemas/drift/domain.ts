/** Rows of two samples, which a classifier is to tell apart. */
export interface DomainRows {
  readonly feature_names: readonly string[];
  readonly rows: number;
  /** rows × features, row-major; NaN is missing. */
  readonly values: Float32Array;
  /** 1: of the window; 0: of what it is held against. */
  readonly labels: Float32Array;
  /** The fold of each row, from 0; a customer's rows stand in one fold. */
  readonly folds: Uint8Array;
}

/**
 * Scores each row by a model that was fitted on the other folds: the larger, the likelier of the window. The same rows and
 * seed give the same scores. The trainer has one; drift is given it.
 */
export type DomainClassifier = (rows: DomainRows, seed: number) => Promise<Float32Array>;
