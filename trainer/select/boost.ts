import type { Hyper } from '../core/search.js';
import type { Family, Preparation } from '../families/family.js';
import type { LabelledRows } from '../rows.js';
import { createBooster, type Booster } from '../xgboost/booster.js';
import type { Xgboost } from '../xgboost/capi.js';
import { createMatrix, type Matrix } from '../xgboost/matrix.js';

export interface FitContext {
  readonly library: Xgboost;
  /** Of XGBoost; the model's bytes do not depend on them. */
  readonly threads: number;
  readonly seed: number;
  /** Told every 50 rounds. */
  onRounds?(rounds: number, most: number): void;
}

export const matrixOf = (preparation: Preparation, rows: LabelledRows, { library, threads }: FitContext): Matrix => createMatrix(library, preparation.transform(rows), threads);

/** Fewer rows are not worth the threads' waiting for each other. */
const SHARED_ROWS_MIN = 20_000;

/**
 * Trains one booster. With validation rows and a family that counts rounds it ends when so many of them were no better by
 * log loss. The caller frees it.
 * @param most instead of the family's most rounds
 * @returns the booster and its best number of rounds
 */
export async function boost(family: Family, hyper: Hyper, { train, validation, most }: { train: Matrix; validation?: Matrix; most?: number }, context: FitContext): Promise<{ booster: Booster; rounds: number }> {
  const { library, threads, seed } = context;
  const nthread = train.rows < SHARED_ROWS_MIN ? 1 : Math.min(threads, family.threads ?? threads);
  const limits = family.rounds(hyper);
  const rounds_max = most ?? limits.most;
  const stops = limits.patience !== null && validation !== undefined;
  const booster = createBooster(library, { ...family.booster(hyper, train), seed, nthread, verbosity: 0 }, stops ? [train, validation] : [train]);
  try {
    let best = { rounds: stops ? 1 : rounds_max, loss: Infinity };
    for (let round = 0; round < rounds_max; round++) {
      await booster.update(round, train);
      if ((round + 1) % 50 === 0) context.onRounds?.(round + 1, rounds_max);
      if (!stops) continue;
      const loss = (await booster.evaluate(round, { validation }))['validation-logloss']!;
      if (loss < best.loss) best = { rounds: round + 1, loss };
      else if (round + 1 - best.rounds >= limits.patience!) break;
    }
    return { booster, rounds: best.rounds };
  } catch (error) {
    booster.free();
    throw error;
  }
}

/** Probabilities by the library. A forest's mean may leave 0 to 1 by a rounding. */
export async function probabilities(booster: Booster, matrix: Matrix, rounds = 0): Promise<Float32Array> {
  const scores = await booster.predict(matrix, rounds);
  for (let i = 0; i < scores.length; i++) scores[i] = Math.min(1, Math.max(0, scores[i]!));
  return scores;
}
