import { randomBytes } from 'node:crypto';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Sampling } from '../core/sampling.js';
import { sql, type QueryParameters } from './queries.js';

/** Tables of a training's own: of the events that it works on, of the rows that it stores. */
const OWN = '^training_(events|set)_[0-9a-f]{12}$';
/** No training takes so long: a table that is older was left by a process that died. */
const ABANDONED_H = 24;

/**
 * Copies the events that a training works on into a table of its own for the time of the work.
 * @param use gets the table's name
 */
export function withWorkingCopy<T>(client: ClickHouseClient, sampling: Sampling, use: (table: string) => Promise<T>): Promise<T> {
  const table = `training_events_${randomBytes(6).toString('hex')}`;
  return withTable(client, table, {
    query: `CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (customer_id, kafka_offset) AS ${sql('training_events')}`,
    query_params: { buckets: sampling.buckets },
  }, () => use(table));
}

/** A table for the time of some work. */
export async function withTable<T>(client: ClickHouseClient, table: string, create: { query: string; query_params?: QueryParameters }, use: () => Promise<T>): Promise<T> {
  await dropAbandoned(client);
  try {
    await client.command(create);
    return await use();
  } finally {
    await client.command({ query: `DROP TABLE IF EXISTS ${table} SYNC` }).catch(() => undefined);
  }
}

async function dropAbandoned(client: ClickHouseClient): Promise<void> {
  const answer = await client.query({
    query: 'SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, {own:String}) AND metadata_modification_time < now() - INTERVAL {hours:UInt16} HOUR',
    query_params: { own: OWN, hours: ABANDONED_H }, format: 'JSONEachRow',
  });
  for (const { name } of await answer.json<{ name: string }>()) await client.command({ query: `DROP TABLE IF EXISTS \`${name}\` SYNC` });
}
