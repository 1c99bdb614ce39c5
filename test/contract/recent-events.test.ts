import t from 'tap';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { migrate } from '../../clickhouse/migrate.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { createRecentReader, RECENT_ROWS } from '../../scorer/explain/recent.js';
import { startCluster } from '../support/cluster.js';

t.test('a customer’s recent predictions come in order of arrival with their kind of event, and not at all while ClickHouse is away', async (t) => {
  const cluster = await startCluster(t, { clickhouse: true });
  const client = createClickHouse(cluster.settings);
  t.teardown(() => client.close());
  await migrate(client, cluster.settings);
  const at = (n: number): string => new Date(1_700_000_000_000 + n * 1000).toISOString();
  const prediction = (n: number, customer_id: string, more: object = {}) => ({
    prediction_id: `0-${n}`, customer_id, event_id: `e-${n}`, event_time: at(n), scored_at: at(n), score: n / 100, decision: 'keep', model_version: 'v1', view_version: view.version, trigger: 'event', degraded: false,
    produced_at: at(n), features_at: at(n), kafka_partition: 0, kafka_offset: n, kafka_time: at(n), events_24h: n, last_order_value: 'nan', ...more,
  });
  await client.insert({ table: 'predictions', format: 'JSONEachRow', values: [
    ...Array.from({ length: 15 }, (_, n) => prediction(n, 'C1')), prediction(15, 'C1', { event_id: '', trigger: 'sweep' }), prediction(16, 'C1', { view_version: 9 }), prediction(17, 'C2'),
  ] });
  await client.insert({ table: 'events', format: 'JSONEachRow', values: Array.from({ length: 14 }, (_, n) => ({
    event_id: `e-${n}`, customer_id: 'C1', event_type: n % 2 === 0 ? 'purchase' : 'login', channel: 'web', event_time: at(n), kafka_partition: 0, kafka_offset: n, kafka_time: at(n),
  })) });

  let now = 0;
  const reader = createRecentReader(cluster.settings, view, () => now);
  t.teardown(() => reader.close());
  const rows = await reader.read('C1');
  if ('unavailable' in rows) throw new Error(rows.unavailable);
  t.equal(rows.length, RECENT_ROWS);
  t.same(rows.map(({ score }) => Math.round(score * 100)), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 'oldest first, of this view version');
  t.same(rows.slice(-4).map(({ event_type, trigger }) => [event_type, trigger]), [['purchase', 'event'], ['login', 'event'], [null, 'event'], [null, 'sweep']], 'an event that has not landed, and no event');
  t.equal(rows[0]!.event_time, 1_700_000_005_000);
  t.equal(rows[0]!.values.length, view.features.length);
  t.equal(rows[0]!.values[0], 5);
  t.ok(Number.isNaN(rows[0]!.values.at(-1)!));
  t.same(await reader.read('nobody'), []);

  process.kill(cluster.pids.clickhouse!, 'SIGKILL');
  for (let n = 0; n < 3; n++) t.match(await reader.read('C1'), { unavailable: /no answer from ClickHouse/ });
  t.match(reader.state(), { state: 'open', opened: 1 });
  t.match(await reader.read('C1'), { unavailable: /left alone for a while/ }, 'nobody waits for it now');
  now += 2000;
  t.match(await reader.read('C1'), { unavailable: /no answer/ }, 'then one question tries');
});
