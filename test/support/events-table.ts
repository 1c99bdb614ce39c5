import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { HistoryRecord } from './history.js';

/** Puts records into the migrated table `events` as landing does. */
export async function insertEvents(client: ClickHouseClient, records: readonly HistoryRecord[]): Promise<void> {
  await client.insert({
    table: 'events', format: 'JSONEachRow',
    clickhouse_settings: { max_partitions_per_insert_block: '0' },
    values: records.map((record) => ({
      ...record, channel: 'web', properties: {},
      event_time: new Date(record.event_time).toISOString(), kafka_time: new Date(record.event_time).toISOString(),
    })),
  });
}
