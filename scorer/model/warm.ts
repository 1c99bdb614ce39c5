import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowCost } from '../core/chunk.js';
import { xorshift } from '../core/xorshift.js';
import { CALL_ROWS_MAX, type ScoringSession } from '../../runtime/models/session.js';

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;
export const CHUNK_ROWS_MAX = CALL_ROWS_MAX;
const PASSES = 3;
/** Time after which others get a turn: a model is measured while another one serves. */
const SLICE_MS = 4;

/**
 * Warms a session and measures what a row costs by call size: the best of three passes over the same rows for each size, the
 * largest first: lone rows are what is decided by, and code that V8 has not compiled yet would be measured with them.
 * Rows are varied, since a few repeated ones look up to three times faster than real ones: each value is drawn from its
 * own column of the sample rows and moved a little.
 * @param now a clock in milliseconds with fractions
 */
export async function measureRowCosts(session: ScoringSession, sampleRows: readonly (readonly number[])[], now: () => number = () => performance.now()): Promise<RowCost[]> {
  const matrix = variedRows(session.featureCount, sampleRows);
  const out = new Float64Array(CHUNK_ROWS_MAX);
  let sliceEnd = now() + SLICE_MS;

  async function pass(rows: number): Promise<number> {
    let ms = 0;
    for (let at = 0; at < CHUNK_ROWS_MAX; at += rows) {
      const start = now();
      session.score(matrix.subarray(at * session.featureCount, (at + rows) * session.featureCount), rows, out, 0);
      const end = now();
      ms += end - start;
      if (end < sliceEnd) continue;
      await nextTurn();
      sliceEnd = now() + SLICE_MS;
    }
    return ms;
  }

  const costs: RowCost[] = [];
  for (const rows of [...SIZES].reverse()) {
    let best = Infinity;
    for (let i = 0; i < PASSES; i++) best = Math.min(best, await pass(rows));
    costs.push({ rows, us_per_row: (best * 1000) / CHUNK_ROWS_MAX });
  }
  return costs.reverse();
}

function variedRows(featureCount: number, sampleRows: readonly (readonly number[])[]): Float32Array {
  const random = xorshift(0x9e3779b9);
  const matrix = new Float32Array(CHUNK_ROWS_MAX * featureCount);
  for (let i = 0; i < matrix.length; i++) {
    const row = sampleRows[Math.floor(random() * sampleRows.length)];
    const value = row?.[i % featureCount] ?? random() * 100;
    matrix[i] = value * (0.75 + random() / 2);
  }
  return matrix;
}
