import type { RowCost } from '../core/chunk.js';
import type { ScoringSession } from './session.js';

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;
export const CHUNK_ROWS_MAX = 512;
const ROWS_VARIED = 2048;
const MS_PER_SIZE = 4;
const CALLS_MIN = 3;

/**
 * Warms a session and measures what a row costs by call size. Rows are varied, since a few repeated ones look up to
 * three times faster than real ones: each value is drawn from its own column of the sample rows and moved a little.
 * @param now a clock in milliseconds with fractions
 */
export function measureRowCosts(session: ScoringSession, sampleRows: readonly (readonly number[])[], now: () => number = () => performance.now()): RowCost[] {
  const matrix = variedRows(session.featureCount, sampleRows);
  const out = new Float64Array(CHUNK_ROWS_MAX);
  let at = 0;
  const call = (rows: number): void => {
    if (at + rows > ROWS_VARIED) at = 0;
    session.score(matrix.subarray(at * session.featureCount, (at + rows) * session.featureCount), rows, out, 0);
    at += rows;
  };
  for (const rows of SIZES) call(rows);
  return SIZES.map((rows) => {
    let best = Infinity;
    const end = now() + MS_PER_SIZE;
    for (let calls = 0; calls < CALLS_MIN || now() < end; calls++) {
      const start = now();
      call(rows);
      best = Math.min(best, now() - start);
    }
    return { rows, us_per_row: (best * 1000) / rows };
  });
}

function variedRows(featureCount: number, sampleRows: readonly (readonly number[])[]): Float32Array {
  const random = xorshift(0x9e3779b9);
  const matrix = new Float32Array(ROWS_VARIED * featureCount);
  for (let i = 0; i < matrix.length; i++) {
    const row = sampleRows[Math.floor(random() * sampleRows.length)];
    const value = row?.[i % featureCount] ?? random() * 100;
    matrix[i] = value * (0.75 + random() / 2);
  }
  return matrix;
}

/** Marsaglia's 32-bit xorshift: the same rows at every start. */
function xorshift(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}
