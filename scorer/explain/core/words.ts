import type { FeatureView } from '../../../schemas/features/declaration.js';
import type { CalibrationMethod } from '../../../schemas/onnx/calibration.js';
import type { Unit } from './explainable.js';

/** One feature's part in a score. */
export interface FeatureContribution {
  readonly feature: string;
  /** The view's own words. */
  readonly description: string;
  /** Null where it is missing. */
  readonly value: number | null;
  readonly contribution: number;
}

/** An explanation as JSON says it. */
export interface Explanation {
  readonly model_version: string;
  readonly unit: Unit;
  readonly base_value: number;
  /** base_value, all contributions and others together. */
  readonly margin: number;
  /** P(churn) that the margin means. */
  readonly score: number;
  /** Largest first. */
  readonly contributions: readonly FeatureContribution[];
  /** All features that are not listed. */
  readonly others: { readonly features: number; readonly contribution: number };
  readonly note: string;
}

export const FEATURES_LISTED = 8;

const CALIBRATED: Record<CalibrationMethod, string> = {
  none: '',
  platt: ', which Platt’s calibration then maps to the score',
  isotonic: ', which isotonic calibration then maps to the score',
};

/** What the sum is and how the score follows from it. */
export function noteOf(unit: Unit, calibration: CalibrationMethod): string {
  const sum = unit === 'log_odds' ? 'base_value and contributions add up to the margin, the log-odds of churn' : 'base_value and contributions add up to the margin, a probability of churn';
  const step = unit === 'log_odds' ? '1 / (1 + exp(-margin)) is the probability' : 'kept within 0 and 1 it is the probability';
  return calibration === 'none' ? `${sum}; ${step}: the score` : `${sum}; ${step} before calibration${CALIBRATED[calibration]}`;
}

/** The largest contributions of a row, with their features' words. @param from where the row's values and contributions begin */
export function topContributions(view: FeatureView, values: ArrayLike<number>, contributions: ArrayLike<number>, from = 0, listed = FEATURES_LISTED): Pick<Explanation, 'contributions' | 'others'> {
  const all = view.features.map(({ name, description }, i): FeatureContribution => {
    const value = values[from + i]!;
    return { feature: name, description, value: Number.isFinite(value) ? value : null, contribution: contributions[from + i]! };
  });
  all.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const rest = all.slice(listed);
  return { contributions: all.slice(0, listed), others: { features: rest.length, contribution: rest.reduce((sum, { contribution }) => sum + contribution, 0) } };
}

export function explanationOf(view: FeatureView, modelVersion: string, explained: { readonly unit: Unit; readonly calibration: CalibrationMethod; readonly base_value: number; readonly contributions: ArrayLike<number>; readonly margins: ArrayLike<number>; readonly scores: ArrayLike<number> }, values: ArrayLike<number>, row = 0, listed = FEATURES_LISTED): Explanation {
  const from = row * view.features.length;
  return {
    model_version: modelVersion, unit: explained.unit, base_value: explained.base_value, margin: explained.margins[row]!, score: explained.scores[row]!,
    ...topContributions(view, values, explained.contributions, from, listed), note: noteOf(explained.unit, explained.calibration),
  };
}
