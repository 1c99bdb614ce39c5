import { randomBytes } from 'node:crypto';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Sampling } from '../core/sampling.js';
import { sql } from './queries.js';

const PREFIX = 'training_events_';
/** No training takes so long: a table that is older was left by a process that died. */
const ABANDONED_H = 24;

/**
 * Copies the events that a training works on into a table of its own for the time of the work.
 * @param use gets the table's name
 */
export async function withWorkingCopy<T>(client: ClickHouseClient, sampling: Sampling, use: (table: string) => Promise<T>): Promise<T> {
  await dropAbandoned(client);
  const table = PREFIX + randomBytes(6).toString('hex');
  try {
    await client.command({
      query: `CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (customer_id, kafka_offset) AS ${sql('training_events')}`,
      query_params: { buckets: sampling.buckets },
    });
    return await use(table);
  } finally {
    await client.command({ query: `DROP TABLE IF EXISTS ${table} SYNC` }).catch(() => undefined);
  }
}

async function dropAbandoned(client: ClickHouseClient): Promise<void> {
  const answer = await client.query({
    query: 'SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, {prefix:String}) AND metadata_modification_time < now() - INTERVAL {hours:UInt16} HOUR',
    query_params: { prefix: PREFIX, hours: ABANDONED_H }, format: 'JSONEachRow',
  });
  for (const { name } of await answer.json<{ name: string }>()) await client.command({ query: `DROP TABLE IF EXISTS \`${name}\` SYNC` });
}
