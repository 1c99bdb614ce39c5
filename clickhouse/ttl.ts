import type { ClickHouseClient } from '../runtime/clickhouse.js';

/**
 * Sets, changes or takes away how long rows are kept by event time; does nothing where it is so already.
 * @param days 0: for ever
 */
export async function applyTtl(client: ClickHouseClient, table: 'events' | 'predictions' | 'shadow_predictions' | 'labelled_predictions' | 'api_predictions', days: number): Promise<void> {
  const time = table === 'api_predictions' ? 'scored_at' : 'event_time';
  const current = await currentDays(client, table, time);
  if (current === days) return;
  // Whole days drop whole partitions; rewriting parts to delete rows within one would cost more than it frees.
  await client.command({ query: days === 0 ? `ALTER TABLE ${table} REMOVE TTL` : `ALTER TABLE ${table} MODIFY TTL toDateTime(${time}) + toIntervalDay(${days})` });
  const dropWhole = days === 0 ? 'RESET SETTING ttl_only_drop_parts' : 'MODIFY SETTING ttl_only_drop_parts = 1';
  await client.command({ query: `ALTER TABLE ${table} ${dropWhole}` });
}

async function currentDays(client: ClickHouseClient, table: string, time: string): Promise<number> {
  const result = await client.query({
    query: 'SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    query_params: { table }, format: 'JSONEachRow',
  });
  const [row] = await result.json<{ engine_full: string }>();
  return Number(new RegExp(` TTL toDateTime\\(${time}\\) \\+ toIntervalDay\\((\\d+)\\)`).exec(row?.engine_full ?? '')?.[1] ?? 0);
}
