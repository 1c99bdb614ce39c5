import koffi from 'koffi';
import type { Pointer, Xgboost } from '../../trainer/xgboost/capi.js';
import type { Matrix } from '../../trainer/xgboost/matrix.js';

/** XGBoost's own pred_contribs of a saved model: rows × (features, then the base value). */
export function contributionsByXgboost(library: Xgboost, model: Uint8Array, matrix: Matrix): Float32Array {
  const out: Pointer[] = [null];
  library.call('XGBoosterCreate', [], 0, out);
  const booster = out[0];
  try {
    library.call('XGBoosterLoadModelFromBuffer', booster, model, model.length);
    const [shape, dimensions, values]: [Pointer[], number[], Pointer[]] = [[null], [0], [null]];
    library.call('XGBoosterPredictFromDMatrix', booster, matrix.handle, JSON.stringify({ type: 2, training: false, iteration_begin: 0, iteration_end: 0, strict_shape: false }), shape, dimensions, values);
    const sizes = Array.from(koffi.decode(shape[0], 'uint64_t', Number(dimensions[0])) as ArrayLike<number | bigint>, Number);
    return Float32Array.from(koffi.decode(values[0], 'float', sizes.reduce((product, size) => product * size, 1)) as ArrayLike<number>);
  } finally {
    library.call('XGBoosterFree', booster);
  }
}
