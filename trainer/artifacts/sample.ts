import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { openArtifacts, type ArtifactSettings } from '../../runtime/artifacts/store.js';
import { getTreeFile } from '../../runtime/artifacts/tree.js';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { withTable } from '../dataset/working-copy.js';
import { datasetTree } from './store.js';

/** Rows of a stored training set, in an order that follows from the seed. */
export interface TrainingSample {
  readonly feature_names: readonly string[];
  /** rows × features. */
  readonly values: Float32Array;
  /** A number of the row's customer: a hash of its id. */
  readonly customers: readonly number[];
  /** 1: the moment of an event; 0: a moment of silence, as sweeps score. */
  readonly on_event: readonly number[];
}

/** A feature that tells silence, where the view has it. */
const LAST_DAY = 'events_24h';

/**
 * Draws rows that a model was fitted on from its stored training set.
 * @param features those wanted; one that the set does not have is NaN
 * @returns undefined where the set is not in the store
 * @throws TidemarkError ARTIFACTS_UNREACHABLE; what the client throws
 */
export async function sampleTrainingRows(settings: ArtifactSettings, client: ClickHouseClient, dataset_id: string, features: readonly string[], rows_max: number, seed: number): Promise<TrainingSample | undefined> {
  const store = openArtifacts(settings);
  const manifest = await getTreeFile(store, datasetTree(dataset_id), 'manifest.json');
  if (manifest === undefined) return undefined;
  const { files } = JSON.parse(manifest.toString('utf8')) as { files: readonly { path: string }[] };
  const table = `training_set_${randomBytes(6).toString('hex')}`;
  const columns = features.map((name) => `\`${name}\` Float32 DEFAULT nan`).join(', ');
  return withTable(client, table, { query: `CREATE TABLE ${table} (customer_id String, at DateTime64(3, 'UTC'), on_event UInt8, part String, ${columns}) ENGINE = MergeTree ORDER BY customer_id` }, async () => {
    for (const { path } of files) {
      const bytes = await getTreeFile(store, datasetTree(dataset_id), path);
      if (bytes === undefined) return undefined;
      const { stream } = await client.exec({ query: `INSERT INTO ${table} FORMAT Parquet`, values: Readable.from([bytes], { objectMode: false }), clickhouse_settings: { input_format_skip_unknown_fields: 1, async_insert: 0 } });
      for await (const _ of stream); // an insert answers nothing; the answer's end is its end
    }
    const silent = features.includes(LAST_DAY) ? `${LAST_DAY} = 0` : 'true';
    const answer = await client.query({
      query: `SELECT cityHash64(customer_id) % 4294967296, on_event, ${features.map((name) => `\`${name}\``).join(', ')} FROM ${table}
              WHERE part = 'train' AND (on_event = 1 OR ${silent}) ORDER BY cityHash64(customer_id, at, on_event, {seed:UInt64}), customer_id, at LIMIT {rows_max:UInt32}`,
      query_params: { seed, rows_max }, format: 'JSONCompactEachRow',
    });
    const rows = await answer.json<(number | string)[]>();
    return {
      feature_names: features,
      values: Float32Array.from(rows.flatMap((row) => row.slice(2).map(Number))),
      customers: rows.map((row) => Number(row[0])),
      on_event: rows.map((row) => Number(row[1])),
    };
  });
}
