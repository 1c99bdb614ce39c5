import type { DriftStatistic, Measurement } from '../../../schemas/drift/measurement.js';

/** How a statistic is judged: on which scale its noise is about normal, and to which side it alarms. */
export interface Scale {
  /** Of the value as it was measured. */
  readonly y: (value: number) => number;
  readonly back: (y: number) => number;
  /** Whether less than usual is drift, too. */
  readonly twoSided: boolean;
  /** How y grows when sampling alone makes it: with (1/n + 1/n_reference) to this power; 0 where its expectation stays. */
  readonly samplingPower: number;
}

/**
 * A squared distance between two samples of one distribution is about a scaled chi-square; its cube root is about normal
 * (Wilson and Hilferty 1931). The distance is its root, so y = distance^(2/3), which grows with (1/n + 1/m)^(1/3).
 */
const distance: Scale = { y: (value) => Math.max(0, value) ** (2 / 3), back: (y) => Math.max(0, y) ** 1.5, twoSided: false, samplingPower: 1 / 3 };
/** arcsin √ makes a share's variance independent of the share (Anscombe 1948). */
const share: Scale = {
  y: (value) => Math.asin(Math.sqrt(Math.min(1, Math.max(0, value)))),
  back: (y) => Math.sin(Math.min(Math.PI / 2, Math.max(0, y))) ** 2,
  twoSided: true,
  samplingPower: 0,
};
/** Half of the AUC is chance. */
const auc: Scale = { ...distance, y: (value) => distance.y(2 * value - 1), back: (y) => (1 + distance.back(y)) / 2 };

/**
 * The statistics that a verdict rests on; the others are reported. KS sees a distribution move, Jensen-Shannon any change of
 * its shape. PSI says the same as Jensen-Shannon, less evenly where bins are nearly empty.
 */
export const JUDGED: Partial<Readonly<Record<DriftStatistic, Scale>>> = { ks: distance, jensen_shannon: distance, missing_rate: share, domain_auc: auc };

/** The share of missing values in a window does not depend on what it is held against: it is judged once. */
export function isJudged({ statistic, against, feature }: Measurement, hasPrevious: boolean): boolean {
  if (JUDGED[statistic] === undefined) return false;
  // the score's distance to its held-out rows is where the model was, not where the world goes
  if (feature === 'channel' && statistic === 'ks') return false;
  return statistic !== 'missing_rate' || against === (hasPrevious ? 'previous' : 'reference');
}
