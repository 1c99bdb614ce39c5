type Numbers = ArrayLike<number>;

/** One bin of a reliability diagram: rows whose scores are near each other, and how many of them churned. */
export interface ReliabilityPoint {
  readonly mean_score: number;
  readonly churn_rate: number;
  readonly rows: number;
}

export const RELIABILITY_BINS = 10;

/** Bins of equal width over [0, 1], as the usual calibration error has them; empty ones are left out. */
export function reliability(labels: Numbers, scores: Numbers, bins = RELIABILITY_BINS): ReliabilityPoint[] {
  const rows = new Float64Array(bins);
  const score = new Float64Array(bins);
  const churned = new Float64Array(bins);
  for (let i = 0; i < labels.length; i++) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(scores[i]! * bins)));
    rows[bin]! += 1;
    score[bin]! += scores[i]!;
    churned[bin]! += labels[i]!;
  }
  return [...rows.keys()].filter((bin) => rows[bin]! > 0).map((bin) => ({ mean_score: score[bin]! / rows[bin]!, churn_rate: churned[bin]! / rows[bin]!, rows: rows[bin]! }));
}

/** Expected calibration error (Naeini et al. 2015): the bins' distance of mean score and churn rate, weighted by their rows. NaN without rows. */
export function calibrationError(labels: Numbers, scores: Numbers, bins = RELIABILITY_BINS): number {
  if (labels.length === 0) return NaN;
  return reliability(labels, scores, bins).reduce((sum, point) => sum + (point.rows / labels.length) * Math.abs(point.mean_score - point.churn_rate), 0);
}
