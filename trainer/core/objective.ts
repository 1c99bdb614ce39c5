import { brierScore, averagePrecision, logLoss, rocAuc } from './metrics.js';

/** What trials and families are chosen by. */
export const SELECTION_METRICS = ['log_loss', 'brier', 'auc', 'pr_auc'] as const;
export type SelectionMetric = (typeof SELECTION_METRICS)[number];

type Numbers = ArrayLike<number>;
const LOSSES: Readonly<Record<SelectionMetric, (labels: Numbers, scores: Numbers) => number>> = {
  log_loss: logLoss,
  brier: brierScore,
  auc: (labels, scores) => 1 - rocAuc(labels, scores),
  pr_auc: (labels, scores) => 1 - averagePrecision(labels, scores),
};

/** The metric turned so that less is better: ranks count from 1 down. */
export const lossOf = (metric: SelectionMetric, labels: Numbers, scores: Numbers): number => LOSSES[metric](labels, scores);

/** The metric as it is written everywhere else. */
export const valueOf = (metric: SelectionMetric, loss: number): number => (metric === 'auc' || metric === 'pr_auc' ? 1 - loss : loss);
