import { WALKED } from '../../runtime/models/scoring-runtime.js';
import { openSession } from '../../runtime/models/session.js';
import { FALLBACK_SCORE, isScore } from '../../scorer/core/decision.js';
import { openKnownWalk } from '../../scorer/model/walk.js';

export interface Rescored {
  readonly score: number;
  readonly degraded: boolean;
  /** Rows of the call to the model that gave this score. */
  readonly rows: number;
  readonly runtime: string;
}

/** Sizes of calls that a scorer makes; matrix products may sum in another order in larger ones. */
const CALL_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/**
 * Scores a vector as the scorer did: as float32, by ONNX Runtime or a walk of the trees, in calls of all its sizes until one gives the stored score.
 * @param values in the order of the model's inputs
 * @returns the score equal to the stored one, else that of one row alone
 */
export function rescore(onnx: Uint8Array, name: string, values: readonly number[], stored: { readonly score: number; readonly runtime: string }): Rescored {
  const session = WALKED.test(stored.runtime) ? openKnownWalk(onnx, values.length) : openSession(onnx, values.length, name);
  try {
    let single: Rescored | undefined;
    for (const rows of CALL_ROWS) {
      const matrix = new Float32Array(rows * values.length);
      for (let row = 0; row < rows; row++) matrix.set(values, row * values.length);
      const out = new Float64Array(rows);
      session.score(matrix, rows, out, 0);
      const degraded = !isScore(out[0]!);
      const rescored = { score: degraded ? FALLBACK_SCORE : out[0]!, degraded, rows, runtime: session.runtime };
      if (Object.is(rescored.score, stored.score)) return rescored;
      single ??= rescored;
    }
    return single!;
  } finally {
    session.release();
  }
}
