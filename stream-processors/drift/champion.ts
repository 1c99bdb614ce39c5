import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { rowsOf } from './aggregates.js';
import { expectedGain } from './core/expected-gain.js';

export interface Champion {
  readonly version: string;
  readonly created_at: number;
  readonly data_to: number;
  /** Of its holdout, as its manifest says. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** The version that serves, as the ledger says it, and what it was trained on. */
export async function championOf(client: ClickHouseClient, model: string): Promise<Champion | undefined> {
  const [row] = await rowsOf<Champion>(client,
    `SELECT version, toUnixTimestamp64Milli(argMax(created_at, kafka_offset)) AS created_at, toUnixTimestamp64Milli(argMax(data_to, kafka_offset)) AS data_to, argMax(metrics, kafka_offset) AS metrics
     FROM model_versions WHERE model = {model:String} AND version = (SELECT champion FROM deployments WHERE model = {model:String}) GROUP BY version`, { model });
  return row;
}

/** A metric of a version of late, over its latest reported windows of so many hours together, weighted by their rows. */
export async function latestFigure(client: ClickHouseClient, about: { kind: 'realised' | 'estimated'; version: string; metric: string; horizon_days: number; hours: number }): Promise<{ value: number; n: number } | undefined> {
  const [row] = await rowsOf<{ value: number | null; n: number }>(client,
    `WITH reports AS (
       SELECT window_from AS _at, value AS _figure, performance_reports.n AS _rows FROM performance_reports FINAL
       WHERE kind = {kind:String} AND model_version = {version:String} AND metric = {metric:String} AND segment = '' AND horizon_days = {horizon_days:UInt16} AND value IS NOT NULL
     )
     SELECT sum(_figure * _rows) / sum(_rows) AS value, sum(_rows) AS n FROM reports WHERE _at > (SELECT max(_at) FROM reports) - toIntervalHour({hours:UInt32})`, about);
  return row === undefined || row.value === null || row.n === 0 ? undefined : { value: row.value, n: row.n };
}

export type GainSettings = Pick<Settings, 'TRAIN_METRIC' | 'LABEL_HORIZON_DAYS' | 'DRIFT_WINDOW_H'>;

/**
 * What retraining a version may be expected to win: by its latest labels, which come late, or by what its scores say of the
 * windows after them, whichever is more.
 * @returns in the unit of TRAIN_METRIC, at least 0; null where nothing can be said
 */
export async function gainOf(client: ClickHouseClient, settings: GainSettings, champion: Pick<Champion, 'version' | 'metrics'> | undefined): Promise<number | null> {
  const metric = settings.TRAIN_METRIC;
  const promised = champion?.metrics[metric] ?? null;
  if (champion === undefined || promised === null) return null;
  const about = { version: champion.version, metric, horizon_days: settings.LABEL_HORIZON_DAYS, hours: settings.DRIFT_WINDOW_H };
  const gains: number[] = [];
  for (const kind of ['realised', 'estimated'] as const) {
    const gain = expectedGain(metric, (await latestFigure(client, { ...about, kind }))?.value ?? null, promised);
    if (gain !== null) gains.push(gain);
  }
  return gains.length === 0 ? null : Math.max(...gains);
}
