/** Metrics of TRAIN_METRIC where more is better. */
const RISING = new Set(['auc', 'pr_auc']);

/**
 * What a retraining may be expected to win in the declared metric: what the champion has lost since its holdout, were the next
 * version as good on today's customers as the champion was on those of its time. An upper estimate: part of the loss may be
 * customers who have become harder to tell apart for any model.
 * @param figure the champion's metric of late, realised, or estimated where no label is there yet; null: not known
 * @param promised the same metric on its holdout; null: not known
 * @returns at least 0, in the unit of the metric; null where either is not known
 */
export function expectedGain(metric: string, figure: number | null, promised: number | null): number | null {
  if (figure === null || promised === null || !Number.isFinite(figure) || !Number.isFinite(promised)) return null;
  return Math.max(0, RISING.has(metric) ? promised - figure : figure - promised);
}
