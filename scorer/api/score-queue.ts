import { bestCost } from '../core/chunk.js';
import { decide, isScore, type Decision } from '../core/decision.js';
import type { ModelCalls } from '../model/calls.js';
import type { LoadedModel } from '../model/load.js';
import type { ModelHolder } from '../model/swap.js';
import { CHUNK_ROWS_MAX } from '../model/warm.js';

export interface ScoreAnswer {
  readonly score: number;
  readonly decision: Decision;
  readonly modelVersion: string;
  /** The model gave no probability for this row: the score is the declared fallback. */
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
  /** Rows that found it full. */
  readonly counts: { readonly refused: number; /** A row was refused within the last seconds. */ readonly overloaded: boolean };
}

export interface ScoreQueueOptions {
  readonly holder: Pick<ModelHolder, 'current'>;
  readonly calls: Pick<ModelCalls, 'score'>;
  /** FALLBACK_SCORE */
  readonly fallbackScore: number;
  readonly featureCount: number;
  readonly threshold: number;
  readonly clock: () => number;
  /** Milliseconds with fractions. */
  readonly now?: () => number;
}

export const QUEUE_ROWS_MAX = 4096;
/** Rows wait at most about so long: beyond it the next one is refused, so that those that wait keep their latency. */
export const QUEUE_WAIT_MS_MAX = 50;
/**
 * Fewer rows are never too many: a process that was held up for a moment has a long turn, and no overload. Fewer still where the
 * model, as it was measured when it was loaded, does not score so many within the bound.
 */
const QUEUE_ROWS_MIN = 64;
/** How long /health remembers that a row was refused. */
const OVERLOADED_MS = 5000;
/** Of a moving mean. */
const SMOOTHING = 0.1;

/** The first `rows` of `waiting` wait: setting an array's length is a call into V8's runtime, for every lone request. */
interface Bank { readonly matrix: Float32Array; readonly waiting: (Scored | undefined)[]; rows: number }

export function createScoreQueue({ holder, calls, fallbackScore, featureCount, threshold, clock, now = () => performance.now() }: ScoreQueueOptions): ScoreQueue {
  const scores = new Float64Array(CHUNK_ROWS_MAX);
  const newBank = (): Bank => ({ matrix: new Float32Array(QUEUE_ROWS_MAX * featureCount), waiting: new Array<Scored | undefined>(QUEUE_ROWS_MAX).fill(undefined), rows: 0 });
  /** Callers may submit again while they are answered: into the other bank. */
  let bank = newBank();
  let other = newBank();
  /** What a row has cost lately, its answer aside. */
  let msPerRow = 0;
  let refusedAt = -Infinity;
  const counts = { refused: 0, get overloaded() { return now() - refusedAt < OVERLOADED_MS; } };
  let firstAt = 0;
  let model: LoadedModel | undefined;
  let rowsMin = QUEUE_ROWS_MIN;

  /** What is known of a model's cost before it scores here is what was measured when it was loaded. */
  function look(): void {
    if (holder.current() === model) return;
    model = holder.current();
    msPerRow = model === undefined ? 0 : bestCost(model.costs) / 1000;
    rowsMin = Math.min(QUEUE_ROWS_MIN, Math.max(1, Math.floor(QUEUE_WAIT_MS_MAX / msPerRow)));
  }

  /** By count and by time: what has waited already, and what the rows before it will take. */
  const full = (): boolean => bank.rows >= QUEUE_ROWS_MAX || (bank.rows >= rowsMin && now() - firstAt + bank.rows * msPerRow > QUEUE_WAIT_MS_MAX);

  function flush(): void {
    look();
    const taken = bank;
    bank = other;
    other = taken;
    for (let at = 0; at < taken.rows;) at += scoreChunk(taken, at);
    taken.rows = 0;
  }

  /** @returns how many rows were answered */
  function scoreChunk({ matrix, waiting, rows: all }: Bank, at: number): number {
    const rows = Math.min(all - at, model?.chunkRows ?? all - at);
    let failure: Error | undefined;
    let modelVersion = '';
    try {
      const startedAt = now();
      modelVersion = calls.score(at === 0 ? matrix : matrix.subarray(at * featureCount), rows, scores).manifest.version;
      msPerRow += ((now() - startedAt) / rows - msPerRow) * SMOOTHING;
    } catch (error) {
      failure = error as Error;
    }
    const scoredAt = clock();
    for (let i = at; i < at + rows; i++) {
      const done = waiting[i] as Scored;
      waiting[i] = undefined;
      done(failure ?? answer(scores[i - at] as number, modelVersion, scoredAt), matrix, i * featureCount);
    }
    return rows;
  }

  function answer(modelScore: number, modelVersion: string, scoredAt: number): ScoreAnswer {
    const degraded = !isScore(modelScore);
    const score = degraded ? fallbackScore : modelScore;
    return { score, decision: decide(score, threshold), modelVersion, degraded, scoredAt };
  }

  return {
    get matrix() { return bank.matrix; },
    next() {
      look();
      if (full()) {
        counts.refused++;
        refusedAt = now();
        return -1;
      }
      return bank.rows * featureCount;
    },
    submit(done) {
      bank.waiting[bank.rows++] = done;
      if (bank.rows !== 1) return;
      firstAt = now();
      setImmediate(flush);
    },
    counts,
  };
}
