import { randomBytes } from 'node:crypto';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Sampling } from '../core/sampling.js';
import { sql, type QueryParameters } from './queries.js';

/** Tables of a training's own: of the events that it works on, of the rows that it stores. */
const OWN = '^training_(events|set)_[0-9a-f]{12}$';
/** No training takes so long: a table that is older was left by a process that died. */
const ABANDONED_H = 24;

export interface WorkingCopy {
  readonly table: string;
  /** To be called when the work is done. */
  drop(): Promise<void>;
}

/** Copies the events that a training works on into a table of its own. */
export async function openWorkingCopy(client: ClickHouseClient, sampling: Sampling): Promise<WorkingCopy> {
  const table = `training_events_${randomBytes(6).toString('hex')}`;
  await dropAbandoned(client);
  const drop = (): Promise<void> => dropTable(client, table);
  try {
    await client.command({
      query: `CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (customer_id, kafka_offset) AS ${sql('training_events')}`, query_params: { buckets: sampling.buckets },
    });
  } catch (error) {
    await drop();
    throw error;
  }
  return { table, drop };
}

/** A table for the time of some work. */
export async function withTable<T>(client: ClickHouseClient, table: string, create: { query: string; query_params?: QueryParameters }, use: () => Promise<T>): Promise<T> {
  await dropAbandoned(client);
  try {
    await client.command(create);
    return await use();
  } finally {
    await dropTable(client, table);
  }
}

async function dropTable(client: ClickHouseClient, table: string): Promise<void> {
  await client.command({ query: `DROP TABLE IF EXISTS ${table} SYNC` }).catch(() => undefined);
}

async function dropAbandoned(client: ClickHouseClient): Promise<void> {
  const answer = await client.query({
    query: 'SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, {own:String}) AND metadata_modification_time < now() - INTERVAL {hours:UInt16} HOUR',
    query_params: { own: OWN, hours: ABANDONED_H }, format: 'JSONEachRow',
  });
  for (const { name } of await answer.json<{ name: string }>()) await client.command({ query: `DROP TABLE IF EXISTS \`${name}\` SYNC` });
}
