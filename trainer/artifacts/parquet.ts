import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { withTable } from '../dataset/working-copy.js';
import { rowBytes, ROW_COLUMNS, type RowsToStore } from './row-bytes.js';

/** Rows of one file: bounds what ClickHouse holds while it writes one. */
const FILE_ROWS_MAX = 1_000_000;
const INSERT_ROWS = 50_000;
/** The same rows give the same bytes, from one version of ClickHouse. */
const DETERMINISTIC = {
  max_threads: 1, output_format_parquet_parallel_encoding: 0, output_format_parquet_row_group_size: '100000',
  output_format_parquet_compression_method: 'zstd', output_format_parquet_string_as_string: 1,
} as const;

export interface ParquetFile {
  readonly path: string;
  readonly file: string;
  readonly rows: number;
}

/**
 * Writes rows as Parquet, made by ClickHouse: customer_id, at, on_event, part, churned, one float a feature; in the set's order.
 * @param folder where the files are put
 */
export async function writeParquet(client: ClickHouseClient, set: RowsToStore, folder: string): Promise<ParquetFile[]> {
  const features = set.rows.feature_names.map((name) => [name, 'Float32'] as const);
  const columns = [...ROW_COLUMNS, ...features].map(([name, type]) => `\`${name}\` ${type}`).join(', ');
  const table = `training_set_${randomBytes(6).toString('hex')}`;
  return withTable(client, table, { query: `CREATE TABLE ${table} (${columns}) ENGINE = MergeTree ORDER BY _row` }, async () => {
    const { rows, feature_names } = set.rows;
    const files: ParquetFile[] = [];
    for (let from = 0; from < rows; from += INSERT_ROWS) await insert(client, table, rowBytes(set, from, Math.min(rows, from + INSERT_ROWS)));
    const selected = ['customer_id', 'at', 'on_event', 'toString(part) AS part', 'churned', ...feature_names.map((name) => `\`${name}\``)].join(', ');
    for (let from = 0; from < rows; from += FILE_ROWS_MAX) {
      const to = Math.min(rows, from + FILE_ROWS_MAX);
      const path = `rows-${String(files.length).padStart(4, '0')}.parquet`;
      const { stream } = await client.exec({
        query: `SELECT ${selected} FROM ${table} WHERE _row >= {from:UInt32} AND _row < {to:UInt32} ORDER BY _row FORMAT Parquet`,
        query_params: { from, to }, clickhouse_settings: DETERMINISTIC,
      });
      await pipeline(stream, createWriteStream(join(folder, path)));
      files.push({ path, file: join(folder, path), rows: to - from });
    }
    return files;
  });
}

async function insert(client: ClickHouseClient, table: string, rows: Buffer): Promise<void> {
  const { stream } = await client.exec({ query: `INSERT INTO ${table} FORMAT RowBinary`, values: Readable.from([rows], { objectMode: false }), clickhouse_settings: { async_insert: 0 } });
  for await (const _ of stream); // an insert answers nothing; the answer's end is its end
}
