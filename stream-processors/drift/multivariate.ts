import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { DomainClassifier, DomainRows } from '../../schemas/drift/domain.js';
import type { DriftBasis, DriftRequest, DriftWindow, Measurement } from '../../schemas/drift/measurement.js';
import { domainAuc } from './core/domain-auc.js';
import { clickHouseTime } from './report.js';

/** Sampled rows, in an order that follows from the seed. */
export interface SampledRows {
  readonly feature_names: readonly string[];
  /** rows × features. */
  readonly values: Float32Array;
  /** A number of the row's customer, the same on both sides. */
  readonly customers: readonly number[];
  /** 1: after an event; 0: in silence. */
  readonly on_event: readonly number[];
}

export interface MultivariateOptions {
  readonly classify: DomainClassifier;
  /** Rows of the model's training set; undefined where it was not stored. */
  readonly training?: (features: readonly string[], rows_max: number, seed: number) => Promise<SampledRows | undefined>;
  readonly features: readonly string[];
  /** Most rows of each side. */
  readonly rows_max: number;
  readonly seed: number;
}

/** Below so many rows a side nothing is measured. */
const ROWS_MIN = 100;
const FOLDS = 4;
const PARTS_PER_MILLION = 1_000_000;

/**
 * All features together: how well a classifier tells the window's rows from those before it, and from the training rows. Both
 * sides get as many rows after events, and as many in silence, as the other. The same data and seed give the same figure.
 * @returns `domain_auc` of `multivariate`, one for each base with enough rows
 */
export async function measureMultivariate(client: ClickHouseClient, request: DriftRequest, options: MultivariateOptions): Promise<Measurement[]> {
  const { features, rows_max, seed } = options;
  const window = await sample(client, request.window, features, rows_max, seed);
  const bases: readonly (readonly [DriftBasis, SampledRows | undefined])[] = [
    ['reference', await options.training?.(features, rows_max, seed)],
    ['previous', await sample(client, request.previous, features, rows_max, seed)],
  ];
  const measured: Measurement[] = [];
  for (const [against, base] of bases) {
    const rows = base === undefined ? undefined : joinSides(window, base);
    if (rows === undefined) continue;
    const found = domainAuc(rows.labels, await options.classify(rows, seed), rows.folds);
    if (found === undefined) continue;
    measured.push({ feature: 'multivariate', segment: '', against, statistic: 'domain_auc', value: found.auc, baseline: 0, p: found.p, degrees: 0, n: rows.rows / 2, n_reference: rows.rows / 2 });
  }
  return measured;
}

async function sample(client: ClickHouseClient, { from, to }: DriftWindow, features: readonly string[], rows_max: number, seed: number): Promise<SampledRows> {
  const within = "event_time >= toDateTime64({from:String}, 3, 'UTC') AND event_time < toDateTime64({to:String}, 3, 'UTC')";
  const bounds = { from: clickHouseTime(from), to: clickHouseTime(to) };
  const [all] = await (await client.query({ query: `SELECT count() AS rows FROM predictions WHERE ${within}`, query_params: bounds, format: 'JSONEachRow' })).json<{ rows: string }>();
  // A hash takes somewhat more than are wanted, so that only those are sorted.
  const parts = Math.min(PARTS_PER_MILLION, Math.ceil((PARTS_PER_MILLION * (1.2 * rows_max + 100)) / Math.max(1, Number(all!.rows))));
  const answer = await client.query({
    query: `SELECT cityHash64(customer_id) % 4294967296, trigger = 'event', ${features.map((name) => `\`${name}\``).join(', ')} FROM predictions
            WHERE ${within} AND cityHash64(prediction_id, {seed:UInt64}) % ${PARTS_PER_MILLION} < {parts:UInt32}
            ORDER BY cityHash64(prediction_id, {seed:UInt64}), prediction_id LIMIT {rows_max:UInt32}`,
    query_params: { ...bounds, seed, parts, rows_max }, format: 'JSONCompactEachRow',
  });
  const rows = await answer.json<(number | string)[]>();
  return {
    feature_names: features,
    values: Float32Array.from(rows.flatMap((row) => row.slice(2).map(Number))),
    customers: rows.map((row) => Number(row[0])),
    on_event: rows.map((row) => Number(row[1])),
  };
}

/** Both sides with equally many rows of each kind, in folds by customer; undefined where there are too few. */
export function joinSides(window: SampledRows, base: SampledRows): DomainRows | undefined {
  const columns = window.feature_names.length;
  const kept: { side: SampledRows; row: number; label: number }[] = [];
  for (const kind of [0, 1]) {
    const rowsOf = (side: SampledRows): number[] => side.on_event.flatMap((on_event, row) => (on_event === kind ? [row] : []));
    const [ours, theirs] = [rowsOf(window), rowsOf(base)];
    const rows = Math.min(ours.length, theirs.length);
    kept.push(...ours.slice(0, rows).map((row) => ({ side: window, row, label: 1 })), ...theirs.slice(0, rows).map((row) => ({ side: base, row, label: 0 })));
  }
  if (kept.length < 2 * ROWS_MIN) return undefined;
  const values = new Float32Array(kept.length * columns);
  kept.forEach(({ side, row }, i) => values.set(side.values.subarray(row * columns, (row + 1) * columns), i * columns));
  return {
    feature_names: window.feature_names, rows: kept.length, values,
    labels: Float32Array.from(kept, ({ label }) => label),
    folds: Uint8Array.from(kept, ({ side, row }) => side.customers[row]! % FOLDS),
  };
}
