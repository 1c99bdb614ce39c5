import { onClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { fillLabels, type LabelSettings, type LabelState } from './labels.js';
import { rowsOf, timeText } from './rows.js';

export type PerformanceSettings = LabelSettings & Pick<Settings, 'PERFORMANCE_WINDOW_H'>;

export interface PerformanceFill extends LabelState {
  /** Windows computed now, epoch milliseconds [from, to): new ones, and those whose labels or predictions changed. */
  readonly realised: readonly Window[];
  readonly estimated: readonly Window[];
}
export interface Window { readonly from: number; readonly to: number }

/** Predictions in one statement: bounds its memory. */
const BATCH_ROWS = 2_000_000;
/** Days of labels, before what is estimated, that scores are calibrated on. */
const REFERENCE_DAYS = 30;

/** Figures of both views; the second list has an interval in `estimated_performance`. */
const PLAIN = ['pr_auc', 'calibration_error', 'lift_top_decile', 'score_mean', 'tp', 'fp', 'fn', 'tn'];
const WITH_INTERVAL = ['accuracy', 'precision', 'recall', 'f1', 'auc', 'log_loss', 'brier'];
const float = (name: string): string => `CAST(${name} AS Nullable(Float64))`;

/** One row of performance_reports for each figure of each row of a view. */
function insertFrom(kind: 'realised' | 'estimated', call: string): string {
  const estimated = kind === 'estimated';
  const metrics = [
    ...PLAIN.map((name) => `('${name}', ${float(name)}, ${float('NULL')}, ${float('NULL')})`),
    ...WITH_INTERVAL.map((name) => `('${name}', ${float(name)}, ${float(estimated ? `${name}_low` : 'NULL')}, ${float(estimated ? `${name}_high` : 'NULL')})`),
  ];
  return `INSERT INTO performance_reports (kind, horizon_days, window_from, window_to, model_version, segment, metric, value, low, high, n, positives, calibrated_on, landed, computed_at)
SELECT '${kind}', {horizon_days:UInt16}, window_from, window_to, model_version, segment, metric.1, metric.2, metric.3, metric.4, n, positives, ${estimated ? 'calibrated_on' : '0'},
  {landed:Array(UInt64)}[indexOf({windows:Array(UInt32)}, intDiv(toUnixTimestamp(window_from), {width_s:UInt32}))], {computed_at:DateTime64(3, 'UTC')}
FROM ${call}
ARRAY JOIN [${metrics.join(', ')}] AS metric`;
}

const WINDOW = "from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, window_h = {window_h:UInt32}, horizon_days = {horizon_days:UInt16}";
const REALISED = insertFrom('realised', `performance(${WINDOW})`);
const ESTIMATED = insertFrom('estimated', `estimated_performance(${WINDOW}, reference_days = {reference_days:UInt16})`);

/** Whole windows behind the labels whose labels changed after they were computed. */
const REALISED_DUE = `SELECT window, landed, now64(3) AS now FROM
  (SELECT intDiv(toUnixTimestamp(hour), {width_s:UInt32}) AS window, max(label_hours.revision) AS revision FROM label_hours WHERE horizon_days = {horizon_days:UInt16} GROUP BY window) AS changed
  LEFT JOIN (__COMPUTED__) AS computed USING (window)
  LEFT JOIN (__LANDED__) AS landed_rows USING (window)
  WHERE (window + 1) * {width_s:UInt32} <= toUnixTimestamp({until:DateTime64(3, 'UTC')}) AND computed_at <= revision ORDER BY window`;

/** Whole windows between labels and watermark that more predictions landed of after they were computed. */
const ESTIMATED_DUE = `SELECT window, landed, now64(3) AS now FROM
  (__LANDED__) AS landed_rows LEFT JOIN (__COMPUTED__) AS computed USING (window)
  WHERE (window + 1) * {width_s:UInt32} <= toUnixTimestamp({until:DateTime64(3, 'UTC')}) AND (window + 1) * {width_s:UInt32} > toUnixTimestamp({after:DateTime64(3, 'UTC')}) AND landed != landed_then ORDER BY window`;

const COMPUTED = `SELECT intDiv(toUnixTimestamp(window_from), {width_s:UInt32}) AS window, max(performance_reports.computed_at) AS computed_at, argMax(performance_reports.landed, performance_reports.computed_at) AS landed_then
  FROM performance_reports WHERE kind = {kind:String} AND horizon_days = {horizon_days:UInt16} AND dateDiff('second', window_from, window_to) = {width_s:UInt32} GROUP BY window`;
const LANDED = `SELECT intDiv(toUnixTimestamp(hour), {width_s:UInt32}) AS window, sum(rows) AS landed FROM prediction_hours GROUP BY window`;

/**
 * Brings labels and performance_reports up to date: every whole window of PERFORMANCE_WINDOW_H hours by its labels where they
 * are all given, by its estimate before that. Only windows that are new or that changed are computed; the same run twice,
 * one killed midway or two at once leave the same rows.
 * @param signal ends the run between two statements
 * @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function fillPerformance(client: ClickHouseClient, settings: PerformanceSettings, view: FeatureView = customerActivity, signal?: AbortSignal): Promise<PerformanceFill> {
  const labels = await fillLabels(client, settings, view, signal);
  const width_s = settings.PERFORMANCE_WINDOW_H * 3600;
  const shared = { horizon_days: settings.LABEL_HORIZON_DAYS, width_s, window_h: settings.PERFORMANCE_WINDOW_H };
  return onClickHouse(settings, 'performance', async () => {
    const fill = async (kind: 'realised' | 'estimated', dueSql: string, insert: string, until: number, after: number): Promise<Window[]> => {
      const rows = await rowsOf<{ window: string; landed: string; now: string }>(client, dueSql.replace('__COMPUTED__', COMPUTED).replace('__LANDED__', LANDED), { ...shared, kind, until: timeText(until), after: timeText(after) });
      const due = rows.map(({ window, landed }) => ({ window: Number(window), landed: Number(landed) }));
      // An estimate is calibrated on what was labelled by its end: each window by itself.
      for (const batch of joinWindows(due, kind === 'realised' ? BATCH_ROWS : 0)) {
        signal?.throwIfAborted();
        const [from, to] = [batch[0]!.window * width_s * 1000, (batch.at(-1)!.window + 1) * width_s * 1000];
        await client.command({
          query: insert,
          // computed_at is the time at which it was known that they were due: what changes from here on makes them due again.
          query_params: { ...shared, from: timeText(from), to: timeText(to), windows: batch.map(({ window }) => window), landed: batch.map(({ landed }) => landed), computed_at: rows[0]!.now, reference_days: REFERENCE_DAYS },
        });
      }
      return due.map(({ window }) => ({ from: window * width_s * 1000, to: (window + 1) * width_s * 1000 }));
    };
    return {
      ...labels,
      realised: await fill('realised', REALISED_DUE, REALISED, Math.max(labels.labelled_to, 0), 0),
      estimated: await fill('estimated', ESTIMATED_DUE, ESTIMATED, Math.max(labels.watermark, 0), Math.max(labels.labelled_to, 0)),
    };
  });
}

interface DueWindow { readonly window: number; readonly landed: number }

/** Joins neighbouring windows (ascending) into batches of at most so many predictions; a window is never divided. */
export function joinWindows(due: readonly DueWindow[], rowsMax: number): DueWindow[][] {
  const batches: DueWindow[][] = [];
  let rows = 0;
  for (const one of due) {
    const last = batches.at(-1);
    rows += one.landed;
    if (last !== undefined && last.at(-1)!.window + 1 === one.window && rows <= rowsMax) last.push(one);
    else {
      batches.push([one]);
      rows = one.landed;
    }
  }
  return batches;
}
