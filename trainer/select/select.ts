import { chooseCalibration, type CalibrationChoice, type OutOfFold } from '../core/calibration.js';
import { evaluate, type Metrics } from '../core/metrics.js';
import { valueOf, type SelectionMetric } from '../core/objective.js';
import { trialsOf, type Hyper } from '../core/search.js';
import { familyOf } from '../families/all.js';
import type { Family, FamilyName } from '../families/family.js';
import { ROUNDS_UNTUNED } from '../families/xgboost.js';
import type { LabelledRows } from '../rows.js';
import type { FitContext } from './boost.js';
import { crossValidate, prepareFolds, type CrossValidated } from './cross-validate.js';
import type { FoldRows } from './fold-rows.js';

export interface SelectOptions extends FitContext {
  readonly families: readonly FamilyName[];
  readonly metric: SelectionMetric;
  /** Of each family; its starts first. */
  readonly trials: number;
  /** What every trial of XGBoost keeps. */
  readonly fixed: Hyper;
  onTrial?(progress: { readonly family: FamilyName; readonly trial: number; readonly trials: number; readonly value: number | null; readonly best: number }): void;
}

/** What one family came to in cross-validation. */
export interface FamilyResult {
  readonly family: FamilyName;
  readonly hyper: Hyper;
  readonly rounds: number;
  readonly trials: number;
  /** Of them, given up after the first folds. */
  readonly abandoned: number;
  /** On all validation rows together, each predicted by a model of other customers and earlier moments. */
  readonly metrics: Metrics;
  /** The selection metric, mean over folds. */
  readonly value: number;
  /** The same turned so that less is better. */
  readonly loss: number;
}

export interface Selection {
  readonly family: Family;
  readonly hyper: Hyper;
  readonly rounds: number;
  readonly calibration: CalibrationChoice;
  /** The best first; empty where there were no folds to compare by. */
  readonly results: readonly FamilyResult[];
}

/**
 * Chooses family, hyperparameters, rounds and calibration by cross-validation on the training rows. Without folds it is the
 * first family at its first start, not calibrated.
 */
export async function select(train: LabelledRows, folds: readonly FoldRows[], options: SelectOptions): Promise<Selection> {
  if (folds.length === 0) return untuned(train, options);
  let best: { family: Family; validated: CrossValidated } | undefined;
  const results: FamilyResult[] = [];
  for (const name of options.families) {
    const family = familyOf(name);
    const { validated, ...counts } = await search(family, train.rows, folds, options);
    const all = concatenated(folds, validated.scores);
    results.push({ family: name, hyper: validated.hyper, rounds: validated.rounds, ...counts, metrics: evaluate(all.labels, all.scores), value: valueOf(options.metric, validated.loss), loss: validated.loss });
    if (best === undefined || validated.loss < best.validated.loss) best = { family, validated };
  }
  const { family, validated } = best!;
  const outOfFold = folds.map(({ fold, validation }, i): OutOfFold => ({ window: fold.window, group: fold.group, labels: validation.labels, scores: validated.scores[i]! }));
  return {
    family, hyper: validated.hyper, rounds: validated.rounds, calibration: chooseCalibration(outOfFold),
    results: results.sort((a, b) => a.loss - b.loss),
  };
}

async function search(family: Family, rows: number, folds: readonly FoldRows[], options: SelectOptions): Promise<{ validated: CrossValidated; trials: number; abandoned: number }> {
  const fixed = family.name === 'xgboost' ? options.fixed : {};
  const trials = trialsOf(family.starts(rows), family.space(rows), Math.min(options.trials, family.trials_max), options.seed, fixed);
  const prepared = prepareFolds(family, folds, options);
  try {
    let best: CrossValidated | undefined;
    let abandoned = 0;
    for (const [trial, hyper] of trials.entries()) {
      const one = await crossValidate(family, hyper, prepared, { metric: options.metric, ...(best === undefined ? {} : { best }) }, options);
      if (one === undefined) abandoned++;
      else if (best === undefined || one.loss < best.loss) best = one;
      options.onTrial?.({ family: family.name, trial: trial + 1, trials: trials.length, value: one === undefined ? null : valueOf(options.metric, one.loss), best: valueOf(options.metric, best!.loss) });
    }
    return { validated: best!, trials: trials.length, abandoned };
  } finally {
    prepared.free();
  }
}

function untuned(train: LabelledRows, { families, fixed }: SelectOptions): Selection {
  const family = familyOf(families[0]!);
  const hyper = { ...family.starts(train.rows)[0], ...(family.name === 'xgboost' ? fixed : {}) };
  const { most, patience } = family.rounds(hyper);
  return { family, hyper, rounds: patience === null ? most : Math.min(most, ROUNDS_UNTUNED), calibration: chooseCalibration([]), results: [] };
}

function concatenated(folds: readonly FoldRows[], scores: readonly Float32Array[]): { labels: number[]; scores: number[] } {
  return { labels: folds.flatMap(({ validation }) => Array.from(validation.labels)), scores: scores.flatMap((some) => Array.from(some)) };
}
