/** Metrics of probabilities against labels (0 or 1), as scikit-learn defines them. Where only one class is there, ranks say nothing: NaN. */
export interface Metrics {
  readonly auc: number;
  /** Average precision of churn. */
  readonly pr_auc: number;
  readonly log_loss: number;
  readonly brier: number;
}

type Numbers = ArrayLike<number>;

export function evaluate(labels: Numbers, scores: Numbers): Metrics {
  if (labels.length !== scores.length) throw new RangeError(`metrics: ${labels.length} labels, ${scores.length} scores`);
  const order = descending(scores);
  return { auc: rocAuc(labels, scores, order), pr_auc: averagePrecision(labels, scores, order), log_loss: logLoss(labels, scores), brier: brierScore(labels, scores) };
}

function descending(scores: Numbers): Uint32Array {
  const order = new Uint32Array(scores.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order.sort((a, b) => scores[b]! - scores[a]!);
}

/** Calls back with the counts of positives and negatives of each group of equal scores, the highest score first. */
function forEachTie(labels: Numbers, scores: Numbers, order: Uint32Array, each: (positives: number, negatives: number) => void): void {
  for (let from = 0; from < order.length; ) {
    let positives = 0;
    let to = from;
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) positives += labels[order[to]!]!;
    each(positives, to - from - positives);
    from = to;
  }
}

/** Area under the ROC curve: the chance that a positive stands above a negative, ties counting half (Mann-Whitney U). */
export function rocAuc(labels: Numbers, scores: Numbers, order = descending(scores)): number {
  let above = 0;
  let negativesBelow = 0;
  for (let i = 0; i < labels.length; i++) negativesBelow += 1 - labels[i]!;
  const pairs = negativesBelow * (labels.length - negativesBelow);
  forEachTie(labels, scores, order, (positives, negatives) => {
    negativesBelow -= negatives;
    above += positives * (negativesBelow + negatives / 2);
  });
  return pairs === 0 ? NaN : above / pairs;
}

/** Average precision: sum over thresholds of (recall − recall before) × precision, without interpolation. */
export function averagePrecision(labels: Numbers, scores: Numbers, order = descending(scores)): number {
  let sum = 0;
  let found = 0;
  let taken = 0;
  forEachTie(labels, scores, order, (positives, negatives) => {
    found += positives;
    taken += positives + negatives;
    sum += positives * (found / taken);
  });
  return found === 0 || found === labels.length ? NaN : sum / found;
}

/** Mean negative log likelihood; probabilities are kept one double's epsilon from 0 and 1. */
export function logLoss(labels: Numbers, scores: Numbers): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, scores[i]!));
    sum -= labels[i] === 1 ? Math.log(p) : Math.log(1 - p);
  }
  return sum / labels.length;
}

/** Mean squared difference of probability and label. */
export function brierScore(labels: Numbers, scores: Numbers): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (scores[i]! - labels[i]!) ** 2;
  return sum / labels.length;
}
