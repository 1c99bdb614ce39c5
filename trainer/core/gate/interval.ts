/** A figure with its bootstrap interval, as people know the metric. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The percentile interval of a statistic by its draws, at `level` on each side. With few customers the plain one is too
 * narrow: draws spread by √((n−1)/n) too little and normal quantiles stand for Student's. It is widened by both, as in
 * Hesterberg, "What Teachers Should Know about the Bootstrap" (2015), section 5.2.
 * @param n customers drawn from
 */
export function percentileInterval(value: number, draws: readonly number[], level: number, n: number): Interval {
  const sorted = draws.filter((draw) => !Number.isNaN(draw)).sort((a, b) => a - b);
  const widened = expandedLevel(level, n);
  return { value, low: quantileOf(sorted, widened), high: quantileOf(sorted, 1 - widened) };
}

/** Φ(t √(n/(n−1))), where t is Student's quantile of `level` with n−1 degrees of freedom (Fisher and Cornish's expansion). */
export function expandedLevel(level: number, n: number): number {
  if (n < 2) return level;
  const z = normalQuantile(level);
  const t = z + (z ** 3 + z) / (4 * (n - 1)) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * (n - 1) ** 2);
  return normalCdf(t * Math.sqrt(n / (n - 1)));
}

/** Quantile that a further draw falls below with probability q: place q (n + 1) among the sorted draws, linear between neighbours. */
export function quantileOf(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return NaN;
  const at = Math.min(sorted.length - 1, Math.max(0, q * (sorted.length + 1) - 1));
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** Abramowitz and Stegun 7.1.26, to 1e-7. */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const erf = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x);
  return z < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

export function normalQuantile(p: number): number {
  let low = -9;
  let high = 9;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
