/** What a gate compares by, each as a loss: the lower, the better. */
export const GATE_METRICS = ['log_loss', 'brier', 'auc', 'pr_auc'] as const;
export type GateMetric = (typeof GATE_METRICS)[number];

/** How people call them, and whether the figure they know is one minus the loss. */
export const METRIC_WORDS: Readonly<Record<GateMetric, { readonly words: string; readonly higher_is_better: boolean }>> = {
  log_loss: { words: 'log loss', higher_is_better: false },
  brier: { words: 'Brier score', higher_is_better: false },
  auc: { words: 'AUC', higher_is_better: true },
  pr_auc: { words: 'PR-AUC', higher_is_better: true },
};

/** A loss as the metric's own figure, and back. */
export const figureOf = (metric: GateMetric, loss: number): number => (METRIC_WORDS[metric].higher_is_better ? 1 - loss : loss);

type Numbers = ArrayLike<number>;

/**
 * A loss over rows where each row counts as often as its customer was drawn.
 * @param times by number of the customer
 * @returns NaN where the rows that were drawn do not define it (no row; of one class only, for the two areas)
 */
export type WeightedLoss = (times: Numbers) => number;

/** The rows that a loss is taken over. */
export interface LossRows {
  readonly rows: Numbers;
  readonly labels: Numbers;
  /** Number of the customer of each row. */
  readonly customer: Numbers;
  readonly scores: Numbers;
}

/** Makes ready what does not change between draws: sums by customer, or the order of scores. */
export function weightedLoss(metric: GateMetric, sample: LossRows): WeightedLoss {
  if (metric === 'log_loss') return meanLoss(sample, logLossOf);
  if (metric === 'brier') return meanLoss(sample, (label, score) => (score - label) ** 2);
  return rankLoss(sample, metric);
}

function logLossOf(label: number, score: number): number {
  const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, score));
  return -(label === 1 ? Math.log(p) : Math.log(1 - p));
}

function meanLoss({ rows, labels, customer, scores }: LossRows, lossOf: (label: number, score: number) => number): WeightedLoss {
  const sums = new Map<number, [sum: number, rows: number]>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const entry = sums.get(customer[row]!);
    const loss = lossOf(labels[row]!, scores[row]!);
    if (entry === undefined) sums.set(customer[row]!, [loss, 1]);
    else {
      entry[0] += loss;
      entry[1] += 1;
    }
  }
  const customers = Uint32Array.from(sums.keys());
  const loss = Float64Array.from(sums.values(), ([sum]) => sum);
  const count = Float64Array.from(sums.values(), ([, n]) => n);
  return (times) => {
    let total = 0;
    let drawn = 0;
    for (let i = 0; i < customers.length; i++) {
      const weight = times[customers[i]!]!;
      total += weight * loss[i]!;
      drawn += weight * count[i]!;
    }
    return total / drawn;
  };
}

/** One minus the area under the ROC curve (ties count half), or one minus the average precision. */
function rankLoss({ rows, labels, customer, scores }: LossRows, metric: 'auc' | 'pr_auc'): WeightedLoss {
  const order = Uint32Array.from(rows).sort((a, b) => scores[b]! - scores[a]!);
  const who = Uint32Array.from(order, (row) => customer[row]!);
  const churned = Uint8Array.from(order, (row) => labels[row]!);
  const last = Uint8Array.from(order, (row, i) => (i === order.length - 1 || scores[row] !== scores[order[i + 1]!] ? 1 : 0));
  return (times) => {
    let positives = 0;
    let all = 0;
    for (let i = 0; i < who.length; i++) {
      const weight = times[who[i]!]!;
      positives += weight * churned[i]!;
      all += weight;
    }
    const negatives = all - positives;
    if (positives === 0 || negatives === 0) return NaN;
    let above = 0;
    let precision = 0;
    let found = 0;
    let passed = 0;
    let group_positives = 0;
    let group = 0;
    for (let i = 0; i < who.length; i++) {
      const weight = times[who[i]!]!;
      group_positives += weight * churned[i]!;
      group += weight;
      if (last[i] === 0) continue;
      const group_negatives = group - group_positives;
      above += group_positives * (negatives - passed - group_negatives / 2);
      found += group_positives;
      passed += group_negatives;
      if (group_positives > 0) precision += group_positives * (found / (found + passed));
      group = group_positives = 0;
    }
    return 1 - (metric === 'auc' ? above / (positives * negatives) : precision / positives);
  };
}
