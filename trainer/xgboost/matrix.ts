import { TidemarkError } from '../../runtime/errors.js';
import type { Pointer, Xgboost } from './capi.js';

/** Rows as they go to XGBoost: dense, row-major, NaN is missing. */
export interface Rows {
  /** rows × columns */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** One a row: 0 or 1. */
  readonly labels?: Float32Array;
  readonly feature_names?: readonly string[];
}

/** XGBoost's DMatrix: its own copy of the rows, to be freed. */
export interface Matrix {
  readonly handle: Pointer;
  readonly rows: number;
  readonly columns: number;
  free(): void;
}

/** @throws TidemarkError INPUT_INVALID where lengths do not fit, INTERNAL with XGBoost's message (an infinite value, say) */
export function createMatrix(library: Xgboost, { values, rows, columns, labels, feature_names }: Rows, threads: number): Matrix {
  if (rows < 1 || columns < 1 || values.length !== rows * columns)
    throw new TidemarkError('INPUT_INVALID', `training matrix: ${values.length} values, expected ${rows} rows × ${columns} columns, at least 1 × 1`);
  if (labels !== undefined && labels.length !== rows)
    throw new TidemarkError('INPUT_INVALID', `training matrix: ${labels.length} labels, expected ${rows}`);
  if (feature_names !== undefined && feature_names.length !== columns)
    throw new TidemarkError('INPUT_INVALID', `training matrix: ${feature_names.length} feature names, expected ${columns}`);

  const out: Pointer[] = [null];
  library.call('XGDMatrixCreateFromMat_omp', values, rows, columns, NaN, out, threads);
  const handle = out[0];
  let freed = false;
  const free = (): void => {
    if (!freed) library.call('XGDMatrixFree', handle);
    freed = true;
  };
  try {
    if (labels !== undefined) library.call('XGDMatrixSetFloatInfo', handle, 'label', labels, rows);
    if (feature_names !== undefined) library.call('XGDMatrixSetStrFeatureInfo', handle, 'feature_name', [...feature_names], columns);
  } catch (error) {
    free();
    throw error;
  }
  return { handle, rows, columns, free };
}
