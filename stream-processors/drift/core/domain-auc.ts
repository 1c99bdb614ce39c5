/** How well scores tell two samples apart, and how surely. */
export interface DomainAuc {
  /** Mean of the folds' areas under the ROC curve, by their rows; 0.5: not at all. */
  readonly auc: number;
  /** Chance of such an area or a larger one without a difference (Mann-Whitney, normal approximation). */
  readonly p: number;
}

/** @returns undefined where no fold has rows of both samples */
export function domainAuc(labels: ArrayLike<number>, scores: ArrayLike<number>, folds: ArrayLike<number>): DomainAuc | undefined {
  const byFold = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const rows = byFold.get(folds[row]!);
    if (rows === undefined) byFold.set(folds[row]!, [row]);
    else rows.push(row);
  }
  let [sum, variance, weight] = [0, 0, 0];
  for (const rows of byFold.values()) {
    const positive = rows.filter((row) => labels[row] === 1).length;
    const negative = rows.length - positive;
    if (positive === 0 || negative === 0) continue;
    sum += rows.length * areaOf(rows, labels, scores, positive);
    variance += (rows.length ** 2 * (rows.length + 1)) / (12 * positive * negative);
    weight += rows.length;
  }
  if (weight === 0) return undefined;
  const auc = sum / weight;
  return { auc, p: upperTail((auc - 0.5) / (Math.sqrt(variance) / weight)) };
}

/** Mann-Whitney's U over its maximum; equal scores count half. */
function areaOf(rows: readonly number[], labels: ArrayLike<number>, scores: ArrayLike<number>, positive: number): number {
  const sorted = [...rows].sort((a, b) => scores[a]! - scores[b]!);
  let ranks = 0;
  for (let i = 0; i < sorted.length;) {
    let end = i + 1;
    while (end < sorted.length && scores[sorted[end]!] === scores[sorted[i]!]) end++;
    for (let at = i; at < end; at++) if (labels[sorted[at]!] === 1) ranks += (i + end + 1) / 2;
    i = end;
  }
  return (ranks - (positive * (positive + 1)) / 2) / (positive * (rows.length - positive));
}

/** Of the standard normal distribution; relative error below 1.2e-7 (Numerical Recipes' erfc). */
export function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const series = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];
  const half = (t * Math.exp(-x * x + series.reduceRight((sum, coefficient) => coefficient + t * sum))) / 2;
  return z >= 0 ? half : 1 - half;
}
