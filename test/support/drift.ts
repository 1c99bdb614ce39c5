import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { MANIFEST_DEFAULTS, type FeatureProfile, type ModelManifest } from '../../schemas/events/model.js';
import { RowWriter } from '../../stream-processors/landing/core/row-writer.js';
import { modelVersionsTable } from '../../stream-processors/landing/tables/model-versions.js';

/** A landed prediction as drift sees it; features that are not named are missing. */
export interface TestPrediction {
  readonly event_time: number;
  readonly model_version: string;
  readonly channel: string;
  readonly trigger: 'event' | 'sweep';
  readonly score: number;
  readonly tenure_days: number;
  readonly events_7d: number;
  readonly purchases_7d: number;
  readonly spend_7d: number;
  readonly carts_7d: number;
  /** Unless given, one of a hundred in turn. */
  readonly customer_id?: string;
}

let offset = 0;

export async function insertPredictions(client: ClickHouseClient, rows: readonly TestPrediction[]): Promise<void> {
  const values = rows.map((row) => {
    const time = new Date(row.event_time).toISOString();
    const features = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'number' && Number.isNaN(value) ? 'nan' : value]));
    return {
      ...features, event_time: time, prediction_id: `0-${++offset}`, customer_id: row.customer_id ?? `c${offset % 100}`, event_id: `e${offset}`, scored_at: time, decision: 'keep', view_version: 1,
      degraded: false, produced_at: time, features_at: time, kafka_partition: 0, kafka_offset: offset, kafka_time: time,
    };
  });
  await client.insert({ table: 'predictions', values, format: 'JSONEachRow' });
}

/** A published version, of which only profile and metrics matter, as landing writes it. */
export async function insertProfile(client: ClickHouseClient, model: string, version: string, profile: FeatureProfile[], metrics: Record<string, number> = {}): Promise<void> {
  const manifest: ModelManifest = {
    model, version, stage: 'champion', family: 'xgboost', view: 'customer_activity', view_version: 1, features: [], created_at: 0, onnx_bytes: 0, onnx_sha256: '', chunk_count: 0,
    metrics, parameters: {}, data_hash: '', data_from: 0, data_to: 0, data_rows: 0, test_inputs: [], test_outputs: [], ...MANIFEST_DEFAULTS, profile,
  };
  const spec = modelVersionsTable({ encode: () => Buffer.alloc(0), decode: () => manifest }, (error) => { throw new Error(error); });
  const out = new RowWriter();
  await spec.encode({ offset: ++offset, timestamp: 0, key: Buffer.from(`${model}/${version}`), value: Buffer.alloc(1), headers: {} }, 0, out);
  const { stream } = await client.exec({ query: `INSERT INTO ${spec.table} (${spec.columns.join(', ')}) FORMAT RowBinary`, values: Readable.from([out.bytes.subarray(0, out.at)], { objectMode: false }) });
  stream.resume();
  await finished(stream);
}

/** Runs a statement over raw samples of two sets of rows; by `feature statistic`. @param valueOf undefined leaves the row out */
export async function driftStatisticsOf(
  client: ClickHouseClient, query: string, features: readonly (keyof TestPrediction)[],
  valueOf: (row: TestPrediction, feature: keyof TestPrediction) => unknown, current: readonly TestPrediction[], reference: readonly TestPrediction[],
): Promise<Map<string, Record<string, unknown>>> {
  const samples = 'drift_test_samples';
  await client.command({ query: `CREATE OR REPLACE TABLE ${samples} (feature String, side String, value Float64) ENGINE = MergeTree ORDER BY feature` });
  const values = ([['current', current], ['reference', reference]] as const).flatMap(([side, rows]) => features.flatMap((feature) => rows.flatMap((row) => {
    const value = valueOf(row, feature);
    return value === undefined ? [] : [[feature, side, Number.isNaN(value) ? 'nan' : value]];
  })));
  await client.insert({ table: samples, values, format: 'JSONCompactEachRow' });
  const answer = await client.query({ query, query_params: { samples }, format: 'JSONEachRow' });
  return new Map((await answer.json<Record<string, unknown>>()).map((row) => [`${String(row['feature'])} ${String(row['statistic'])}`, row]));
}
