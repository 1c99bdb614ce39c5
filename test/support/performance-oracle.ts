/** Performance figures the slow, obvious way: pairs for AUC, thresholds one by one. `y` is a label, or the chance of one. */
export interface Scored { score: number; risk: boolean; y: number; customer: string }
export const FIGURES = ['n', 'positives', 'tp', 'fp', 'fn', 'tn', 'accuracy', 'precision', 'recall', 'f1', 'auc', 'pr_auc', 'log_loss', 'brier', 'calibration_error', 'lift_top_decile', 'score_mean'] as const;
export type Figure = (typeof FIGURES)[number];
export type Figures = Record<Figure, number | null>;
export const WITH_INTERVAL = ['accuracy', 'precision', 'recall', 'f1', 'auc', 'log_loss', 'brier'] as const;

const sum = <T>(rows: readonly T[], of: (row: T) => number): number => rows.reduce((total, row) => total + of(row), 0);
const over = (a: number, b: number): number | null => (b === 0 ? null : a / b);

export function figuresOf(rows: readonly Scored[]): Figures {
  const n = rows.length;
  const positives = sum(rows, ({ y }) => y);
  const tp = sum(rows, ({ y, risk }) => (risk ? y : 0));
  const fp = sum(rows, ({ y, risk }) => (risk ? 1 - y : 0));
  const fn = positives - tp;
  const tn = n - positives - fp;
  const clip = (score: number): number => Math.min(Math.max(score, Number.EPSILON), 1 - Number.EPSILON);
  const bins = Array.from({ length: 10 }, (_, bin) => rows.filter(({ score }) => Math.min(Math.floor(score * 10), 9) === bin));
  return {
    n, positives, tp, fp, fn, tn,
    accuracy: (tp + tn) / n, precision: over(tp, tp + fp), recall: over(tp, positives), f1: over(2 * tp, 2 * tp + fp + fn),
    auc: aucOf(rows), pr_auc: positives === 0 ? null : averagePrecision(rows, positives),
    log_loss: -sum(rows, ({ y, score }) => y * Math.log(clip(score)) + (1 - y) * Math.log(1 - clip(score))) / n,
    brier: sum(rows, ({ y, score }) => y * (1 - score) ** 2 + (1 - y) * score ** 2) / n,
    calibration_error: sum(bins, (bin) => Math.abs(sum(bin, ({ y, score }) => y - score))) / n,
    lift_top_decile: positives === 0 ? null : topShare(rows) / (n / 10) / (positives / n),
    score_mean: sum(rows, ({ score }) => score) / n,
  };
}

function aucOf(rows: readonly Scored[]): number | null {
  const [p, q] = [sum(rows, ({ y }) => y), sum(rows, ({ y }) => 1 - y)];
  if (p <= 0 || q <= 0) return null;
  return sum(rows, (a) => sum(rows, (b) => a.y * (1 - b.y) * (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0))) / (p * q);
}

function averagePrecision(rows: readonly Scored[], positives: number): number {
  return sum([...new Set(rows.map(({ score }) => score))], (threshold) => {
    const above = rows.filter(({ score }) => score >= threshold);
    return (sum(rows.filter(({ score }) => score === threshold), ({ y }) => y) / positives) * (sum(above, ({ y }) => y) / above.length);
  });
}

/** Positives expected among the tenth with the highest scores, equal scores in random order. */
function topShare(rows: readonly Scored[]): number {
  let left = rows.length / 10;
  let found = 0;
  for (const score of [...new Set(rows.map((row) => row.score))].sort((a, b) => b - a)) {
    const tied = rows.filter((row) => row.score === score);
    const taken = Math.min(left, tied.length);
    found += sum(tied, ({ y }) => y) * (taken / tied.length);
    left -= taken;
  }
  return found;
}

/** Standard errors of the figures if `y` are the chances of the outcomes, and a customer's are one outcome, or independent where that says more: by numeric derivatives. */
export function errorsOf(rows: readonly Scored[]): Record<(typeof WITH_INTERVAL)[number], number> {
  const step = 1e-5;
  const changes = rows.map((row, i) => {
    const at = (y: number): Figures => figuresOf(rows.map((one, j) => (i === j ? { ...one, y } : one)));
    const [up, down] = [at(row.y + step), at(row.y - step)];
    return WITH_INTERVAL.map((name) => ((up[name]! - down[name]!) / (2 * step)) * Math.sqrt(row.y * (1 - row.y)));
  });
  const customers = [...new Set(rows.map(({ customer }) => customer))];
  const variance = (own: readonly number[]): number => Math.max(sum(own, (x) => x) ** 2, sum(own, (x) => x * x));
  return Object.fromEntries(WITH_INTERVAL.map((name, f) => [name, Math.sqrt(sum(customers, (customer) => variance(changes.filter((_, i) => rows[i]!.customer === customer).map((own) => own[f]!))))])) as never;
}

/** Isotonic regression by pooling neighbours, over bins of a quarter of a unit of log-odds; what a score's chance is. */
export function calibrationOf(reference: readonly { score: number; churned: number }[]): (score: number) => number {
  const binOf = (score: number): number => Math.max(-40, Math.min(40, Math.floor(4 * Math.log(score / (1 - score)))));
  const churned = sum(reference, (row) => row.churned);
  if (reference.length < 1000 || churned === 0 || churned === reference.length) return (score) => score;
  const bins = [...new Set(reference.map(({ score }) => binOf(score)))].sort((a, b) => a - b);
  const pools: { bins: number[]; n: number; p: number }[] = [];
  for (const bin of bins) {
    const rows = reference.filter(({ score }) => binOf(score) === bin);
    pools.push({ bins: [bin], n: rows.length, p: sum(rows, (row) => row.churned) });
    while (pools.length > 1 && pools.at(-2)!.p / pools.at(-2)!.n >= pools.at(-1)!.p / pools.at(-1)!.n) {
      const last = pools.pop()!;
      const before = pools.pop()!;
      pools.push({ bins: [...before.bins, ...last.bins], n: before.n + last.n, p: before.p + last.p });
    }
  }
  return (score) => {
    const bin = bins.filter((one) => one <= binOf(score)).at(-1) ?? bins[0]!;
    const pool = pools.find((one) => one.bins.includes(bin))!;
    return pool.p / pool.n;
  };
}
