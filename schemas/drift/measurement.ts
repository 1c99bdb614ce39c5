/**
 * What drift SQL measures and the drift service judges. `native` over hourly aggregates gives these for every feature, for
 * `score`, and for `channel` (the mix of channels).
 */
export const DRIFT_STATISTICS = [
  /** Share of missing values (NaN) among all rows; p: two proportions. */
  'missing_rate',
  /** Share of values below or above all of the reference's; p: so many of the pooled extremes on one side by chance. */
  'out_of_range_rate',
  /** Share of rows in categories that the reference does not have (`channel`, and features of at most 20 distinct values). */
  'new_category_rate',
  /** Population stability index on the reference's tenths, natural logarithm; p: that of chi_square on the same bins. */
  'psi',
  /** Kolmogorov-Smirnov distance, 0 to 1; p: two-sided, conservative where values tie. */
  'ks',
  /** Jensen-Shannon distance (the square root), base 2, 0 to 1, on the same bins; p: that of chi_square. */
  'jensen_shannon',
  /** Wasserstein distance over the reference's standard deviation; no p. */
  'wasserstein_normed',
  /** Pearson's statistic of the 2 x k table, without Yates' correction; p: chi-square with `degrees`. */
  'chi_square',
  /** Hellinger distance, 0 to 1, on the same bins; p: that of chi_square. */
  'hellinger',
  /** AUC of a classifier that tells window from reference, all features together; 0.5 is none. */
  'domain_auc',
  /** Realised performance, of `performance`: mean loss of labelled predictions, against what the holdout promised and former windows. */
  'log_loss',
  'brier',
] as const;
export type DriftStatistic = (typeof DRIFT_STATISTICS)[number];

export const DRIFT_BASES = ['reference', 'previous'] as const;
/** What a window is held against: the profile of the model's training rows, or the window before. */
export type DriftBasis = (typeof DRIFT_BASES)[number];

/** One figure. All numbers are finite: what cannot be computed (no values on a side) is not measured, and has no row. */
export interface Measurement {
  /** A feature's name, `score`, `channel`; `multivariate` for domain_auc. */
  readonly feature: string;
  /** Empty for all rows, else one of schemas/drift/segments.ts: `channel=web`, `tenure=0-30`. */
  readonly segment: string;
  readonly against: DriftBasis;
  readonly statistic: DriftStatistic;
  readonly value: number;
  /** The reference's own rate for `missing_rate`; 0 else. The effect is value - baseline. */
  readonly baseline: number;
  /** Probability of such a value or a larger one without drift, rows taken as independent; null where there is none. */
  readonly p: number | null;
  /** Degrees of freedom behind p: the number of bins or categories compared, less one; 0 where they play no part. */
  readonly degrees: number;
  /** Values compared: without missing ones, for `missing_rate` all rows. */
  readonly n: number;
  readonly n_reference: number;
}

/** Event time in epoch milliseconds, whole hours, [from, to). */
export interface DriftWindow {
  readonly from: number;
  readonly to: number;
}

export interface DriftRequest {
  readonly model: string;
  readonly modelVersion: string;
  readonly window: DriftWindow;
  readonly previous: DriftWindow;
  /** Segments to measure beside all rows: names, or the prefixes `channel=`, `tenure=` for all of a kind; empty for none. */
  readonly segments: readonly string[];
}
