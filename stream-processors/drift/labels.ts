import { labelsOf, viewSql } from '../../clickhouse/views.js';
import { onClickHouse, type ClickHouseClient, type ClickHouseTarget } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { timeText, rowsOf } from './rows.js';

export type LabelSettings = ClickHouseTarget & Pick<Settings, 'LABEL_HORIZON_DAYS' | 'LABEL_LATENESS_H' | 'EVENTS_TTL_DAYS'>;

/** Epoch milliseconds of event time. */
export interface LabelState {
  readonly watermark: number;
  /** Predictions before this have their label. */
  readonly labelled_to: number;
}

interface Progress { readonly now: number; readonly watermark: number; readonly labelled_to: number; readonly changes_to: number; readonly first: number }

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Predictions labelled by one statement: bounds its memory. */
const CHUNK_ROWS = 2_000_000;
const CHUNK_DAYS = 30;
/** A row is stamped when its insert begins and seen when it ends; what lies within is looked at by two runs. */
const OVERLAP_MS = 600_000;
/** label_changes keeps 30 days: after a longer pause everything is labelled anew. */
const CHANGES_MS_MAX = 29 * DAY_MS;

const COLUMNS = 'prediction_id, customer_id, event_time, model_version, score, decision, trigger, degraded, channel, tenure, churned, source';
const INSERT = `INSERT INTO labelled_predictions (horizon_days, ${COLUMNS}, revision) SELECT {horizon_days:UInt16}, ${COLUMNS}, now64(3)`;

/** Who is looked at again: whose predictions, purchases or outcomes landed since, for predictions that had their label by then. */
const CHANGES = `FROM label_changes
  WHERE landed_at > {changes_from:DateTime64(3, 'UTC')} AND event_time < {labelled_to:DateTime64(3, 'UTC')} + if(kind = 'prediction', toIntervalDay(0), toIntervalDay({horizon_days:UInt16}))`;

/**
 * Brings labelled_predictions up to date: first labels that late events, explicit outcomes and late predictions change, then
 * predictions whose horizon is over by now. What is done twice (a killed run, two at once) changes nothing.
 * @param signal ends the run between two statements
 * @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export function fillLabels(client: ClickHouseClient, settings: LabelSettings, view: FeatureView = customerActivity, signal?: AbortSignal): Promise<LabelState> {
  return onClickHouse(settings, 'labels', async () => {
    const horizon_days = settings.LABEL_HORIZON_DAYS;
    const before = await progress(client, horizon_days);
    // Of events that were deleted no label can be made.
    const kept_from = settings.EVENTS_TTL_DAYS === 0 ? 0 : before.now - settings.EVENTS_TTL_DAYS * DAY_MS;
    const bound = before.watermark - horizon_days * DAY_MS - settings.LABEL_LATENESS_H * HOUR_MS;
    const shared = { horizon_days, lateness_h: settings.LABEL_LATENESS_H };
    const label = (text: string, chunk: Chunk, more: Record<string, unknown> = {}): Promise<unknown> => {
      signal?.throwIfAborted();
      return client.command({ query: text, query_params: { ...shared, from: timeText(chunk.from), to: timeText(chunk.to), ...more } });
    };
    const done = (labelled_to: number): Promise<unknown> =>
      client.insert({ table: 'label_runs', format: 'JSONEachRow', values: [{ horizon_days, labelled_to: timeText(labelled_to), changes_to: timeText(before.now) }] });

    const anew = before.now - before.changes_to > CHANGES_MS_MAX;
    if (before.labelled_to > 0 && !anew) await correct();
    let labelled_to = Math.max(before.labelled_to, 0);
    const first = Math.max(anew ? before.first : Math.max(before.first, labelled_to), kept_from);
    for (const chunk of await chunks(client, first, bound)) {
      await label(`${INSERT} FROM (${viewSql('labels', view)})`, chunk);
      if (chunk.to > labelled_to) await done(labelled_to = chunk.to);
    }
    if (bound > labelled_to && before.first > 0) await done(labelled_to = bound);
    else if (labelled_to > 0 && !anew) await done(labelled_to);
    return { watermark: before.watermark, labelled_to };

    async function correct(): Promise<void> {
      const changed = { changes_from: timeText(before.changes_to - OVERLAP_MS), labelled_to: timeText(before.labelled_to) };
      const [row] = await rowsOf<{ rows: string; first: string }>(client,
        `SELECT count() AS rows, toUnixTimestamp64Milli(min(event_time - if(kind = 'prediction', toIntervalDay(0), toIntervalDay({horizon_days:UInt16})))) AS first ${CHANGES}`, { ...shared, ...changed });
      if (Number(row?.rows ?? 0) === 0) return;
      const customers = `SELECT customer_id ${CHANGES}`;
      const known = `SELECT prediction_id, churned, source FROM labelled_predictions FINAL
        WHERE horizon_days = {horizon_days:UInt16} AND event_time >= {from:DateTime64(3, 'UTC')} AND event_time < {to:DateTime64(3, 'UTC')} AND customer_id IN (${customers})`;
      const query = `${INSERT} FROM (${labelsOf(view, customers)}) WHERE (prediction_id, churned, source) NOT IN (${known})`;
      for (const chunk of await chunks(client, Math.max(Number(row?.first), before.first, kept_from), before.labelled_to)) await label(query, chunk, changed);
    }
  });
}

/** Where the labels stand, and the clock of the server that stamps landed rows. */
async function progress(client: ClickHouseClient, horizon_days: number): Promise<Progress> {
  const [row] = await rowsOf<Record<keyof Progress, string>>(client, `SELECT
    toUnixTimestamp64Milli(now64(3)) AS now,
    toUnixTimestamp64Milli((SELECT watermark FROM label_watermark)) AS watermark,
    (SELECT toUnixTimestamp64Milli(max(labelled_to)) FROM label_runs WHERE horizon_days = {horizon_days:UInt16}) AS labelled_to,
    (SELECT toUnixTimestamp64Milli(max(changes_to)) FROM label_runs WHERE horizon_days = {horizon_days:UInt16}) AS changes_to,
    (SELECT toInt64(toUnixTimestamp(min(hour))) * 1000 FROM prediction_hours) AS first`, { horizon_days });
  const { now, watermark, labelled_to, changes_to, first } = row!;
  return { now: Number(now), watermark: Number(watermark), labelled_to: Number(labelled_to), changes_to: Number(changes_to) || Number(now), first: Number(first) };
}

/** Event times, [from, to). */
export interface Chunk { readonly from: number; readonly to: number }

/** [from, to) in pieces at midnights, of a bounded number of predictions and days; days without predictions are left out. */
async function chunks(client: ClickHouseClient, from: number, to: number): Promise<Chunk[]> {
  if (from >= to) return [];
  const days = await rowsOf<{ day: string; rows: string }>(client, `SELECT toInt64(toUnixTimestamp(toStartOfDay(hour))) * 1000 AS day, sum(rows) AS rows
    FROM prediction_hours WHERE hour >= toStartOfHour({from:DateTime64(3, 'UTC')}) AND hour < {to:DateTime64(3, 'UTC')} GROUP BY day ORDER BY day`, { from: timeText(from), to: timeText(to) });
  return joinDays(days.map(({ day, rows }) => ({ day: Number(day), rows: Number(rows) })), from, to);
}

/** Joins days (midnight, rows; ascending) into chunks of at most CHUNK_ROWS and CHUNK_DAYS; a day is never divided. */
export function joinDays(days: readonly { readonly day: number; readonly rows: number }[], from: number, to: number): Chunk[] {
  const joined: { from: number; to: number; rows: number }[] = [];
  for (const { day, rows } of days) {
    const last = joined.at(-1);
    const end = Math.min(day + DAY_MS, to);
    if (last !== undefined && last.rows + rows <= CHUNK_ROWS && end - last.from <= CHUNK_DAYS * DAY_MS) {
      last.to = end;
      last.rows += rows;
    } else joined.push({ from: Math.max(day, from), to: end, rows });
  }
  return joined.map((chunk) => ({ from: chunk.from, to: chunk.to }));
}
