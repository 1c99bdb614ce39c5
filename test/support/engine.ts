import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drainPending, Session } from 'chdb';
import type { Test } from 'tap';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { HistoryRecord } from './history.js';

/** ClickHouse's engine in this process, on a folder of its own that goes with the test. */
export function openEngine(t: Test): Session {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-engine-'));
  const session = new Session(folder);
  t.teardown(async () => {
    session.close();
    await drainPending();
    rmSync(folder, { recursive: true, force: true });
  });
  return session;
}

/** The columns of table events that the features' SQL reads, as landing fills them. */
export async function loadEvents(session: Session, table: string, records: readonly HistoryRecord[]): Promise<void> {
  await session.queryAsync(`CREATE TABLE ${table} (
    event_id String, customer_id String, event_type LowCardinality(String), amount Nullable(Float64), quantity Nullable(Int32),
    event_time DateTime64(3, 'UTC'), kafka_partition Int32, kafka_offset Int64, kafka_time DateTime64(3, 'UTC')
  ) ENGINE = MergeTree ORDER BY (customer_id, event_time)`);
  // A whole number is taken as DateTime64(3)'s own unit, milliseconds.
  const rows = records.map((record) => JSON.stringify({ ...record, kafka_time: record.event_time }));
  await session.insert({ table, values: Buffer.from(rows.join('\n')), format: 'JSONEachRow' });
}

export interface FeatureRow {
  customer_id: string;
  as_of_offset: number;
  as_of_ms: number;
  values: Float64Array;
}

/** Runs a query of `featureSql` and reads its RowBinary, doubles bit for bit. */
export async function readFeatures(session: Session, sql: string, view: FeatureView): Promise<FeatureRow[]> {
  const result = (await session.queryAsync(sql, { format: 'RowBinary' })).bytes();
  return rowsOf(Buffer.from(result.buffer, result.byteOffset, result.byteLength), view);
}

/** The rows of `featureSql` in RowBinary. */
export function rowsOf(bytes: Buffer, view: FeatureView): FeatureRow[] {
  const rows: FeatureRow[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) length |= ((byte = bytes[at++]!) & 0x7f) << shift;
    const customer_id = bytes.toString('utf8', at, at + length);
    at += length;
    const values = Float64Array.from(view.features, (_, i) => bytes.readDoubleLE(at + 16 + i * 8));
    rows.push({ customer_id, as_of_offset: Number(bytes.readBigInt64LE(at)), as_of_ms: Number(bytes.readBigInt64LE(at + 8)), values });
    at += 16 + values.length * 8;
  }
  return rows;
}
