import type { Rows } from './xgboost/matrix.js';

/** Labelled rows of a training set with the moments that they stand at. */
export interface LabelledRows {
  readonly feature_names: readonly string[];
  readonly rows: number;
  /** rows × features, row-major; NaN is missing. */
  readonly values: Float32Array;
  /** 1: churned. */
  readonly labels: Float32Array;
  /** Epoch milliseconds. */
  readonly at: Float64Array;
  /** 1: the moment of an event; 0: a snapshot between events, as the sweep takes. */
  readonly on_event: Uint8Array;
  /** Number of the row's customer within the set. */
  readonly customer: Uint32Array;
}

/** The rows whose moment or index a test holds for, in their order. */
export function selectRows(from: LabelledRows, keep: (row: number) => boolean): LabelledRows {
  const kept: number[] = [];
  for (let row = 0; row < from.rows; row++) if (keep(row)) kept.push(row);
  const columns = from.feature_names.length;
  const values = new Float32Array(kept.length * columns);
  kept.forEach((row, i) => values.set(from.values.subarray(row * columns, (row + 1) * columns), i * columns));
  return {
    feature_names: from.feature_names,
    rows: kept.length,
    values,
    labels: Float32Array.from(kept, (row) => from.labels[row]!),
    at: Float64Array.from(kept, (row) => from.at[row]!),
    on_event: Uint8Array.from(kept, (row) => from.on_event[row]!),
    customer: Uint32Array.from(kept, (row) => from.customer[row]!),
  };
}

export function positives(rows: LabelledRows): number {
  let count = 0;
  for (const label of rows.labels) count += label;
  return count;
}

export const classesOf = (rows: LabelledRows): [stayed: number, churned: number] => [rows.rows - positives(rows), positives(rows)];

export const isEnough = (rows: LabelledRows, rows_min: number, of_each_class: number): boolean => rows.rows >= rows_min && Math.min(...classesOf(rows)) >= of_each_class;

export const asMatrixRows = ({ feature_names, rows, values, labels }: LabelledRows): Rows =>
  ({ values, rows, columns: feature_names.length, labels, feature_names });
