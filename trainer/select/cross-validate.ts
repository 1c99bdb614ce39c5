import { lossOf, type SelectionMetric } from '../core/objective.js';
import type { Hyper } from '../core/search.js';
import type { Family } from '../families/family.js';
import type { Booster } from '../xgboost/booster.js';
import type { Matrix } from '../xgboost/matrix.js';
import { boost, matrixOf, probabilities, type FitContext } from './boost.js';
import type { FoldRows } from './fold-rows.js';

/** A family's matrices of the folds, made once for all trials; to be freed. */
export interface PreparedFolds {
  readonly folds: readonly { readonly rows: FoldRows; readonly train: Matrix; readonly validation: Matrix }[];
  free(): void;
}

/** @param family learns its preparation from each fold's training rows alone */
export function prepareFolds(family: Family, folds: readonly FoldRows[], context: FitContext): PreparedFolds {
  const made: Matrix[] = [];
  const free = (): void => { for (const matrix of made) matrix.free(); };
  try {
    return {
      folds: folds.map((rows) => {
        const preparation = family.prepare(rows.train);
        const [train, validation] = [matrixOf(preparation, rows.train, context), matrixOf(preparation, rows.validation, context)];
        made.push(train, validation);
        return { rows, train, validation };
      }),
      free,
    };
  } catch (error) {
    free();
    throw error;
  }
}

export interface CrossValidated {
  readonly hyper: Hyper;
  /** Median over the folds of the best number of rounds. */
  readonly rounds: number;
  /** Mean over the folds, weighted by their validation rows; less is better. */
  readonly loss: number;
  /** The same of the first fold, the first two, …: what a later trial is held against on its way. */
  readonly path: readonly number[];
  /** Probabilities of each fold's validation rows by the model of its training rows, at the median rounds. */
  readonly scores: readonly Float32Array[];
}

/** A trial that is so much worse than the best one on the same first folds goes no further. */
const HOPELESS = 1.03;

/** @returns undefined where it was given up on the way */
export async function crossValidate(
  family: Family, hyper: Hyper, { folds }: PreparedFolds, about: { metric: SelectionMetric; best?: CrossValidated }, context: FitContext,
): Promise<CrossValidated | undefined> {
  const fitted: { booster: Booster; rounds: number }[] = [];
  try {
    const path: number[] = [];
    const mean = weightedMean();
    for (const [index, { rows, train, validation }] of folds.entries()) {
      const one = await boost(family, hyper, { train, validation }, context);
      fitted.push(one);
      path.push(mean(lossOf(about.metric, rows.validation.labels, await probabilities(one.booster, validation, one.rounds)), rows.validation.rows));
      if (about.best !== undefined && index + 1 < folds.length && path[index]! > about.best.path[index]! * HOPELESS) return undefined;
    }
    const rounds = median(fitted.map((one) => one.rounds));
    const scores: Float32Array[] = [];
    const loss = weightedMean();
    let total = Infinity;
    for (const [index, { rows, validation }] of folds.entries()) {
      scores.push(await probabilities(fitted[index]!.booster, validation, await grownTo(fitted[index]!.booster, rounds, folds[index]!.train)));
      total = loss(lossOf(about.metric, rows.validation.labels, scores[index]!), rows.validation.rows);
    }
    return { hyper, rounds, loss: total, path, scores };
  } finally {
    for (const { booster } of fitted) booster.free();
  }
}

/** A fold that stopped before the median goes on to it. */
async function grownTo(booster: Booster, rounds: number, train: Matrix): Promise<number> {
  for (let round = booster.rounds(); round < rounds; round++) await booster.update(round, train);
  return rounds;
}

function weightedMean(): (value: number, weight: number) => number {
  let [sum, weights] = [0, 0];
  return (value, weight) => (sum += value * weight) / (weights += weight);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
