import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { DriftWindow } from '../../schemas/drift/measurement.js';
import { HOUR_MS, type TriageInput } from './core/triage/aggregates.js';
import type { Quarantine } from './core/triage/quarantine.js';

/** Rows that an hour and those after it must have for the hour before to be over: a few events ahead of all others end none. */
const ROWS_AFTER_MIN = 20;
/** What triage takes as usual, before the window. */
const USUAL_MS = 28 * 24 * HOUR_MS;
/** Arrival needs less history, and reads events themselves. */
const ARRIVAL_USUAL_MS = 7 * 24 * HOUR_MS;
/** Channels that triage tells apart, the largest ones. */
const CHANNELS_MAX = 20;

export async function rowsOf<Row>(client: ClickHouseClient, query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> {
  return (await client.query({ query, query_params, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<Row>();
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** From where to where predictions have landed, epoch milliseconds, whole hours: `to` is the end of the last hour that has others after it. */
export async function landedRange(client: ClickHouseClient): Promise<DriftWindow | undefined> {
  const [row] = await rowsOf<{ from: number; to: number }>(client,
    `SELECT toUnixTimestamp(min(hour)) AS from, toUnixTimestamp(maxIf(hour, newer >= ${ROWS_AFTER_MIN})) AS to
     FROM (SELECT hour, sum(sum(rows)) OVER (ORDER BY hour DESC) AS newer FROM prediction_hours GROUP BY hour)`);
  return row === undefined || row.to === 0 ? undefined : { from: row.from * 1000, to: row.to * 1000 };
}

/** How far each partition of `predictions` has landed, of those that have rows since `from`. */
export async function partitionTimes(client: ClickHouseClient, from: number): Promise<number[]> {
  const found = await rowsOf<{ at: number }>(client,
    `SELECT toUnixTimestamp64Milli(max(event_time)) AS at FROM predictions WHERE event_time >= toDateTime64({from:UInt32}, 3, 'UTC') GROUP BY kafka_partition`, { from: seconds(from) });
  return found.map(({ at }) => at);
}

/** The version that made most predictions at the end of the window. */
export async function versionInService(client: ClickHouseClient, from: number, to: number): Promise<string | undefined> {
  const [row] = await rowsOf<{ model_version: string }>(client,
    `SELECT model_version FROM prediction_hours WHERE hour >= toDateTime({from:UInt32}, 'UTC') AND hour < toDateTime({to:UInt32}, 'UTC')
     GROUP BY model_version ORDER BY sum(rows) DESC, model_version LIMIT 1`, { from: seconds(from), to: seconds(to) });
  return row?.model_version;
}

/** The hours that triage looks at, for a look at `window`. */
export async function triageInput(client: ClickHouseClient, window: DriftWindow, broken: readonly Quarantine[]): Promise<TriageInput> {
  const bounds = { from: seconds(window.from - USUAL_MS), to: seconds(window.to), arrivals_from: seconds(window.from - ARRIVAL_USUAL_MS) };
  const [hours, arrivals] = await Promise.all([
    rowsOf<TriageInput['hours'][number]>(client,
      `WITH channels AS (SELECT channel FROM event_hours WHERE hour >= toDateTime({from:UInt32}, 'UTC') AND hour < toDateTime({to:UInt32}, 'UTC') GROUP BY channel ORDER BY sum(rows) DESC LIMIT ${CHANNELS_MAX})
       SELECT toUnixTimestamp(e.hour) * 1000 AS hour, e.channel AS channel, sum(e.rows) AS rows, sumIf(e.rows, e.event_type IN ('purchase', 'refund')) AS money_rows,
         sumIf(e.amount_rows, e.event_type IN ('purchase', 'refund')) AS amount_rows, sumIf(e.amount_total, e.event_type IN ('purchase', 'refund')) AS amount_total
       FROM event_hours AS e
       WHERE e.hour >= toDateTime({from:UInt32}, 'UTC') AND e.hour < toDateTime({to:UInt32}, 'UTC') AND e.channel IN channels
       GROUP BY e.hour, e.channel ORDER BY channel, hour`, bounds),
    rowsOf<TriageInput['arrivals'][number]>(client,
      `SELECT toUnixTimestamp(toStartOfHour(event_time)) * 1000 AS hour, channel, count() AS rows, quantile(0.5)(toUnixTimestamp64Milli(kafka_time) - toUnixTimestamp64Milli(event_time)) AS lag_median_ms
       FROM events WHERE event_time >= toDateTime64({arrivals_from:UInt32}, 3, 'UTC') AND event_time < toDateTime64({to:UInt32}, 3, 'UTC')
       GROUP BY hour, channel ORDER BY channel, hour`, bounds),
  ]);
  return { from: window.from - USUAL_MS, since: window.from, to: window.to, hours, arrivals, broken };
}
