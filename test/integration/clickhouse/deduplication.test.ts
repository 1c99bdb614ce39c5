import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { startClickHouse } from '../../support/clickhouse.js';

const clickhouse = await startClickHouse(t);
const client = clickhouse.client();
await migrate(client, clickhouse.settings);

/** 600 events of 120 days, so that one insert makes 120 parts. */
const batch = (first: number) => Array.from({ length: 600 }, (_, i) => ({
  event_id: `e${first + i}`, customer_id: `c${i % 50}`, event_type: 'purchase', amount: 1, quantity: 1, channel: 'web',
  event_time: new Date(Date.UTC(2026, 0, 1) + (i % 120) * 86_400_000).toISOString(), kafka_partition: 0, kafka_offset: first + i, kafka_time: '2026-06-01T00:00:00Z',
}));
const insert = (first: number) => client.insert({
  table: 'events', values: batch(first), format: 'JSONEachRow',
  clickhouse_settings: { insert_deduplication_token: `customer-events-0-${first}-${first + 599}`, deduplicate_blocks_in_dependent_materialized_views: 1, max_partitions_per_insert_block: '0' },
});
const counts = async (): Promise<unknown> => (await (await client.query({ query: 'SELECT (SELECT count() FROM events) AS events, (SELECT sum(rows) FROM event_hours) AS hours', format: 'JSONEachRow' })).json())[0];

t.test('an insert that is repeated counts once, in the table and in its views', async (t) => {
  await insert(0);
  t.same(await counts(), { events: '600', hours: '600' });
  await insert(0);
  t.same(await counts(), { events: '600', hours: '600' });
  await insert(600);
  t.same(await counts(), { events: '1200', hours: '1200' }, 'other rows of the same kind count');
});

t.test('a repeat adds just what is missing', async (t) => {
  await client.command({ query: "ALTER TABLE events DROP PARTITION '20260105'" });
  t.same(await counts(), { events: '1190', hours: '1200' });
  await insert(0);
  t.same(await counts(), { events: '1195', hours: '1200' }, 'the table’s part');
  await client.command({ query: 'TRUNCATE TABLE event_hours' });
  await insert(0);
  await insert(600);
  t.same(await counts(), { events: '1200', hours: '1200' }, 'the view’s rows, though the table had all of its own');
});

t.test('after a restart too', async (t) => {
  process.kill(clickhouse.server.pid, 'SIGKILL');
  await clickhouse.server.exited;
  await clickhouse.restart();
  await insert(0);
  await insert(600);
  t.same(await counts(), { events: '1200', hours: '1200' });
});
