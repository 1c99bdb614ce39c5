import { isScore } from '../core/decision.js';
import { createPayback } from '../core/payback.js';
import { createScoreCache } from '../core/score-cache.js';
import type { ModelCalls } from './calls.js';
import type { LoadedModel } from './load.js';
import type { ModelHolder } from './swap.js';
import { CHUNK_ROWS_MAX } from './warm.js';

export interface CachedCallsOptions {
  readonly holder: Pick<ModelHolder, 'current'>;
  readonly calls: Pick<ModelCalls, 'score'>;
  readonly featureCount: number;
  /** SCORER_CACHE_ROWS; 0: every row goes to the model. */
  readonly cacheRows: number;
  /** A call to the model. */
  observe(rows: number, ms: number): void;
  /** Milliseconds with fractions. */
  readonly now?: () => number;
}

export interface CachedCalls extends Pick<ModelCalls, 'score'> {
  readonly counts: { readonly lookups: number; readonly hits: number };
}

/**
 * Calls to the model for those rows only that the model in service has not scored before, as long as that pays.
 * Kept are scores of the model in service; without one, and for its replacement, nothing is.
 */
export function createCachedCalls({ holder, calls, featureCount, cacheRows, observe, now = () => performance.now() }: CachedCallsOptions): CachedCalls {
  const cache = createScoreCache(cacheRows, featureCount);
  // As many as fit, twice: rows that all come again are seen to do so.
  const payback = createPayback(2 * cacheRows);
  const counts = { lookups: 0, hits: 0 };
  const missed = new Float32Array(CHUNK_ROWS_MAX * featureCount);
  const missedScores = new Float64Array(CHUNK_ROWS_MAX);
  /** Where the missed rows stand in the chunk. */
  const places = new Uint16Array(CHUNK_ROWS_MAX);
  let cached: LoadedModel | undefined;

  function uncached(matrix: Float32Array, rows: number, out: Float64Array): LoadedModel {
    const startedAt = now();
    const model = calls.score(matrix, rows, out);
    observe(rows, now() - startedAt);
    return model;
  }

  /** Puts found scores into `out` and the other rows into `missed`. @returns how many those are */
  function lookUp(matrix: Float32Array, rows: number, out: Float64Array): number {
    let misses = 0;
    for (let row = 0, at = 0; row < rows; row++, at += featureCount) {
      const score = cache.find(matrix, at);
      if (isScore(score)) {
        out[row] = score;
        continue;
      }
      for (let i = 0, to = misses * featureCount; i < featureCount; i++) missed[to + i] = matrix[at + i] as number;
      places[misses++] = row;
    }
    counts.lookups += rows;
    counts.hits += rows - misses;
    return misses;
  }

  return {
    counts,
    score(matrix, rows, out) {
      const model = holder.current();
      if (cacheRows === 0 || model === undefined) return uncached(matrix, rows, out);
      if (model !== cached) {
        cache.clear();
        payback.restart();
        cached = model;
      }
      if (!payback.worthwhile(rows)) return uncached(matrix, rows, out);
      const startedAt = now();
      const misses = lookUp(matrix, rows, out);
      const lookedAt = now();
      if (misses === 0) {
        payback.note(rows, rows, lookedAt - startedAt, 0);
        return model;
      }
      const by = calls.score(missed, misses, missedScores);
      const scoredAt = now();
      observe(misses, scoredAt - lookedAt);
      // The one before it scored them, and an answer names one version: the chunk is scored by that one.
      if (by !== model) return uncached(matrix, rows, out);
      for (let i = 0; i < misses; i++) {
        const score = missedScores[i] as number;
        out[places[i] as number] = score;
        if (isScore(score)) cache.put(missed, i * featureCount, score);
      }
      payback.note(rows, rows - misses, lookedAt - startedAt + now() - scoredAt, scoredAt - lookedAt);
      return model;
    },
  };
}
