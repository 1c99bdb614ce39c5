import type { FeatureView } from '../../schemas/features/declaration.js';
import type { Expectation } from './expectations.js';
import { rocAuc } from './metrics.js';
import { within, type SnapshotPlan } from './plan.js';

/** The rows that a training takes, as far as expectations look at them. */
export interface RowFacts {
  readonly feature_names: readonly string[];
  readonly rows: number;
  readonly values: Float32Array;
  readonly labels: Float32Array;
  readonly at: Float64Array;
  readonly plan: SnapshotPlan;
  /** Latest event time, epoch milliseconds. */
  readonly watermark: number;
  /** Features that cannot be below 0. */
  readonly not_negative: ReadonlySet<string>;
}

const NEVER_NEGATIVE = new Set(['count', 'distinct_days', 'tenure', 'time_since', 'gap_mean', 'gap_std', 'std']);

/** Counts, days and deviations: whatever the events, they are 0 or more. */
export const notNegative = (view: FeatureView): ReadonlySet<string> => new Set(view.features.filter(({ aggregate }) => NEVER_NEGATIVE.has(aggregate)).map(({ name }) => name));

/** Rows looked at for what costs a sort; the others are like them. */
const LOOKED_AT_MAX = 20_000;

export const ROW_SUITE: readonly Expectation<RowFacts>[] = [
  { name: 'features_in_range', severity: 'error', expects: 'no count, time or deviation below 0', bound: 0, observe: (f) => worst(f, (column, name) => (f.not_negative.has(name) ? countOf(f, column, (value) => value < 0) : 0)) },
  { name: 'features_present', severity: 'warning', expects: 'no feature that is missing in every row', bound: 0, observe: (f) => worst(f, (column) => (countOf(f, column, Number.isNaN) === f.rows ? 1 : 0)) },
  { name: 'features_vary', severity: 'warning', expects: 'no feature with one value only', bound: 0, observe: (f) => worst(f, (column) => (isConstant(f, column) ? 1 : 0)) },
  { name: 'class_balance', severity: 'warning', expects: 'at least 1 % of the rows of either outcome', bound: 0.99, observe: ({ labels, rows }) => {
    const churned = labels.reduce((sum, label) => sum + label, 0) / rows;
    return { observed: Math.max(churned, 1 - churned), where: `churned ${(100 * churned).toFixed(1)} %` };
  } },
  { name: 'outcome_is_stable', severity: 'warning', expects: 'churn rates of training and holdout at most 0.15 apart', bound: 0.15, observe: (f) => {
    const [train, holdout] = [f.plan.train, f.plan.holdout].map((period) => rateWithin(f, (at) => within(period, at)));
    return { observed: Math.abs(train! - holdout!), where: `${train!.toFixed(3)} and ${holdout!.toFixed(3)}` };
  } },
  // A feature that alone tells the outcome was made from it.
  { name: 'leakage', severity: 'error', expects: 'no feature that alone ranks the outcome with an AUC above 0.99', bound: 0.99, observe: (f) => worst(f, (column) => separation(f, column)) },
  { name: 'labels_matured', severity: 'error', expects: 'no row whose horizon ends after the latest event', bound: 0, observe: (f) => ({ observed: count(f.at, (at) => at + f.plan.horizon_ms > f.watermark) }) },
  { name: 'labels_apart', severity: 'error', expects: 'no training label that reaches into the holdout', bound: 0, observe: ({ at, plan }) => ({ observed: count(at, (time) => within(plan.train, time) && time + plan.horizon_ms > plan.holdout.after) }) },
];

function worst(f: RowFacts, of: (column: number, name: string) => number): { observed: number; where: string } {
  let found = { observed: 0, where: '' };
  f.feature_names.forEach((name, column) => {
    const observed = of(column, name);
    if (observed > found.observed) found = { observed, where: name };
  });
  return found;
}

function count(values: Float64Array, is: (value: number) => boolean): number {
  let found = 0;
  for (const value of values) if (is(value)) found++;
  return found;
}

function countOf({ rows, values, feature_names }: RowFacts, column: number, is: (value: number) => boolean): number {
  let found = 0;
  for (let row = 0; row < rows; row++) if (is(values[row * feature_names.length + column]!)) found++;
  return found;
}

const isConstant = (f: RowFacts, column: number): boolean => f.rows > 0 && countOf(f, column, (value) => !Object.is(value, f.values[column])) === 0 && !Number.isNaN(f.values[column]!);

function rateWithin({ at, labels, rows }: RowFacts, is: (at: number) => boolean): number {
  let [there, churned] = [0, 0];
  for (let row = 0; row < rows; row++) if (is(at[row]!)) { there++; churned += labels[row]!; }
  return churned / there;
}

/** How well the feature alone ranks the outcome, whichever way round: 0.5 not at all, 1 wholly. Missing values stand at either end. */
function separation({ rows, values, labels, feature_names }: RowFacts, column: number): number {
  const step = Math.max(1, Math.ceil(rows / LOOKED_AT_MAX));
  const looked = Array.from({ length: Math.floor((rows - 1) / step) + 1 }, (_, i) => i * step);
  const own = looked.map((row) => labels[row]!);
  const raw = looked.map((row) => values[row * feature_names.length + column]!);
  const ends = raw.some(Number.isNaN) ? [-Infinity, Infinity] : [0];
  const found = ends.map((end) => rocAuc(own, raw.map((value) => (Number.isNaN(value) ? end : value)))).filter((auc) => !Number.isNaN(auc));
  return Math.max(0.5, ...found.map((auc) => Math.max(auc, 1 - auc)));
}
