import { TidemarkError } from '../../runtime/errors.js';
import { decide, FALLBACK_SCORE, isScore, type Decision } from '../core/decision.js';
import type { ModelHolder } from '../model/swap.js';
import { CHUNK_ROWS_MAX } from '../model/warm.js';

export interface ScoreAnswer {
  readonly score: number;
  readonly decision: Decision;
  readonly modelVersion: string;
  /** The model gave no probability for this row: the score is FALLBACK_SCORE. */
  readonly degraded: boolean;
  readonly scoredAt: number;
}

export interface ScoreQueue {
  /**
   * Scores one row together with all others of this turn of the event loop: an idle server waits for nobody, a busy one
   * scores what has arrived meanwhile in one call.
   * @param fill writes the row's values at `at` of the matrix
   * @param done called before the next turn's input is read; an Error where the model failed or there is none
   * @returns false when the queue is full
   */
  submit(fill: (matrix: Float32Array, at: number) => void, done: (answer: ScoreAnswer | Error) => void): boolean;
}

export interface ScoreQueueOptions {
  readonly holder: ModelHolder;
  readonly featureCount: number;
  readonly threshold: number;
  readonly clock: () => number;
  observe(rows: number, scoreMs: number): void;
}

export const QUEUE_ROWS_MAX = 4096;

export function createScoreQueue({ holder, featureCount, threshold, clock, observe }: ScoreQueueOptions): ScoreQueue {
  const matrix = new Float32Array(QUEUE_ROWS_MAX * featureCount);
  const scores = new Float64Array(CHUNK_ROWS_MAX);
  let waiting: ((answer: ScoreAnswer | Error) => void)[] = [];

  function flush(): void {
    const callers = waiting;
    waiting = [];
    for (let at = 0; at < callers.length;) at += scoreChunk(callers, at);
  }

  /** @returns how many rows were answered */
  function scoreChunk(callers: readonly ((answer: ScoreAnswer | Error) => void)[], at: number): number {
    const model = holder.current();
    const rows = Math.min(callers.length - at, model?.chunkRows ?? callers.length);
    let failure: Error | undefined;
    try {
      if (model === undefined) throw new TidemarkError('PART_NOT_READY', 'no model serves yet');
      const startedAt = performance.now();
      model.session.score(matrix.subarray(at * featureCount, (at + rows) * featureCount), rows, scores, 0);
      observe(rows, performance.now() - startedAt);
    } catch (error) {
      failure = error as Error;
    }
    const scoredAt = clock();
    for (let i = 0; i < rows; i++) (callers[at + i] as (answer: ScoreAnswer | Error) => void)(failure ?? answer(scores[i] as number, model!.manifest.version, scoredAt));
    return rows;
  }

  function answer(modelScore: number, modelVersion: string, scoredAt: number): ScoreAnswer {
    const degraded = !isScore(modelScore);
    const score = degraded ? FALLBACK_SCORE : modelScore;
    return { score, decision: decide(score, threshold), modelVersion, degraded, scoredAt };
  }

  return {
    submit(fill, done) {
      if (waiting.length >= QUEUE_ROWS_MAX) return false;
      fill(matrix, waiting.length * featureCount);
      if (waiting.push(done) === 1) setImmediate(flush);
      return true;
    },
  };
}
