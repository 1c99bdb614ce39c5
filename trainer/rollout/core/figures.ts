/** What champion and challenger gave for the same rows since a step of a trial began. */
export interface PairFigures {
  readonly rows: number;
  readonly customers: number;
  /** Rows without a probability, 0 to 1. */
  readonly champion_error_share: number;
  readonly challenger_error_share: number;
  /** Time of a row in the model's calls, microseconds, 90th percentile. */
  readonly champion_us: number;
  readonly challenger_us: number;
  /** Between the two distributions of scores: population stability index over the champion's deciles, Kolmogorov-Smirnov. */
  readonly psi: number;
  readonly ks: number;
  /** Event time of the rows, epoch milliseconds. */
  readonly event_from_ms: number;
  readonly event_to_ms: number;
  /** On rows whose outcome is known; undefined where there are none. */
  readonly loss: LossDifference | undefined;
}

/** Log loss of the challenger minus the champion's on the same rows. */
export interface LossDifference {
  readonly rows: number;
  readonly difference: number;
  /** The difference in units of its standard error over customers. */
  readonly z: number;
}

export interface Limits {
  /** Fewer rows say nothing. */
  readonly rows_min: number;
  readonly error_share_max: number;
  readonly latency_us_max: number;
  readonly psi_max: number;
  readonly ks_max: number;
  readonly loss_increase_max: number;
}

/** One-sided 1 %: a higher loss than this by chance is not taken for a worse model. */
const LOSS_Z_MIN = 2.33;

/** Which limits one of the two breaks, in words with the figures; none while there are too few rows. */
export function breaches(who: 'champion' | 'challenger', figures: PairFigures, limits: Limits): string[] {
  if (figures.rows < limits.rows_min) return [];
  return [...ownBreaches(who, figures, limits), ...distributionBreaches(figures, limits), ...lossBreaches(who, figures, limits)];
}

/** Those that need no comparison: errors and latency. */
export function ownBreaches(who: 'champion' | 'challenger', figures: PairFigures, limits: Limits): string[] {
  if (figures.rows < limits.rows_min) return [];
  const errors = who === 'champion' ? figures.champion_error_share : figures.challenger_error_share;
  const us = who === 'champion' ? figures.champion_us : figures.challenger_us;
  return [
    ...(errors > limits.error_share_max ? [`errors on ${percent(errors)} of ${figures.rows} rows, at most ${percent(limits.error_share_max)}`] : []),
    ...(us > limits.latency_us_max ? [`${short(us)} µs a row, at most ${limits.latency_us_max}`] : []),
  ];
}

function distributionBreaches({ psi, ks, rows }: PairFigures, limits: Limits): string[] {
  return [
    ...(psi > limits.psi_max ? [`PSI ${short(psi)} between the scores of both on ${rows} rows, at most ${limits.psi_max}`] : []),
    ...(ks > limits.ks_max ? [`KS ${short(ks)} between the scores of both on ${rows} rows, at most ${limits.ks_max}`] : []),
  ];
}

function lossBreaches(who: 'champion' | 'challenger', { loss }: PairFigures, { rows_min, loss_increase_max }: Limits): string[] {
  if (loss === undefined || loss.rows < rows_min) return [];
  const sign = who === 'challenger' ? 1 : -1;
  const worse = sign * loss.difference > loss_increase_max && sign * loss.z > LOSS_Z_MIN;
  return worse ? [`log loss higher by ${short(sign * loss.difference)} on ${loss.rows} rows whose outcome is known, at most ${loss_increase_max}`] : [];
}

const short = (value: number): string => value.toPrecision(3);
const percent = (share: number): string => `${(share * 100).toPrecision(3)} %`;
