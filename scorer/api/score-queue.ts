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

/** @param matrix, at the row's values, during this call */
export type Scored = (answer: ScoreAnswer | Error, matrix: Float32Array, at: number) => void;

export interface ScoreQueue {
  /** Rows that wait, row-major. Look it up each time: a call to the model takes it away. */
  readonly matrix: Float32Array;
  /** Where the next row's values belong in the matrix; -1 when the queue is full. */
  next(): number;
  /**
   * Takes the row that was written at `next()`. It is scored together with all others of this turn of the event loop: an idle
   * server waits for nobody, a busy one scores what has arrived meanwhile in one call.
   * @param done called before the next turn's input is read; an Error where the model failed or there is none
   */
  submit(done: Scored): void;
}

export interface ScoreQueueOptions {
  readonly holder: ModelHolder;
  readonly featureCount: number;
  readonly threshold: number;
  readonly clock: () => number;
  observe(rows: number, scoreMs: number): void;
}

export const QUEUE_ROWS_MAX = 4096;

interface Bank { readonly matrix: Float32Array; readonly waiting: Scored[] }

export function createScoreQueue({ holder, featureCount, threshold, clock, observe }: ScoreQueueOptions): ScoreQueue {
  const scores = new Float64Array(CHUNK_ROWS_MAX);
  const newBank = (): Bank => ({ matrix: new Float32Array(QUEUE_ROWS_MAX * featureCount), waiting: [] });
  /** Callers may submit again while they are answered: into the other bank. */
  let bank = newBank();
  let other = newBank();

  function flush(): void {
    const full = bank;
    bank = other;
    other = full;
    for (let at = 0; at < full.waiting.length;) at += scoreChunk(full, at);
    full.waiting.length = 0;
  }

  /** @returns how many rows were answered */
  function scoreChunk({ matrix, waiting }: Bank, at: number): number {
    const model = holder.current();
    const rows = Math.min(waiting.length - at, model?.chunkRows ?? waiting.length - at);
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
    const modelVersion = model?.manifest.version ?? '';
    for (let i = 0; i < rows; i++) (waiting[at + i] as Scored)(failure ?? answer(scores[i] as number, modelVersion, scoredAt), matrix, (at + i) * featureCount);
    return rows;
  }

  function answer(modelScore: number, modelVersion: string, scoredAt: number): ScoreAnswer {
    const degraded = !isScore(modelScore);
    const score = degraded ? FALLBACK_SCORE : modelScore;
    return { score, decision: decide(score, threshold), modelVersion, degraded, scoredAt };
  }

  return {
    get matrix() { return bank.matrix; },
    next: () => (bank.waiting.length >= QUEUE_ROWS_MAX ? -1 : bank.waiting.length * featureCount),
    submit(done) {
      if (bank.waiting.push(done) === 1) setImmediate(flush);
    },
  };
}
