import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { readMigrations } from '../../../clickhouse/migration-files.js';
import { MISSING_BIN } from '../../../schemas/drift/bins.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { customerActivity } from '../../../schemas/features/customer-activity.js';
import { count, days } from '../../../schemas/features/declaration.js';
import { defineView } from '../../../schemas/features/validate.js';
import { startClickHouse } from '../../support/clickhouse.js';

const SNAPSHOT = join(PROJECT_ROOT, 'clickhouse', 'schema.sql');

const clickhouse = await startClickHouse(t);
const { settings } = clickhouse;
const client = clickhouse.client();
const rows = async <Row>(query: string): Promise<Row[]> => (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
const schema = async (): Promise<string> => (await (await client.query({
  query: "SELECT concat(formatQuery(create_table_query), ';\n') FROM system.tables WHERE database = currentDatabase() ORDER BY name", format: 'TabSeparatedRaw',
})).text()).replaceAll(`${settings.CLICKHOUSE_DATABASE}.`, '');

t.test('an empty server gets everything, once', async (t) => {
  const names = (await readMigrations()).map(({ name }) => name);
  t.match(await migrate(client, settings), { applied: names, columnsAdded: customerActivity.features.map(({ name }) => name) });
  const before = await schema();
  t.same(await migrate(client, settings), { applied: [], columnsAdded: [] }, 'a second time changes nothing');
  t.equal(await schema(), before);
  t.equal((await rows('SELECT number FROM schema_migrations')).length, names.length);
});

t.test('the schema is the one on file', async (t) => {
  const now = await schema();
  if (process.env['UPDATE_SNAPSHOT'] === '1' || !existsSync(SNAPSHOT)) writeFileSync(SNAPSHOT, now);
  t.equal(now, readFileSync(SNAPSHOT, 'utf8'), 'clickhouse/schema.sql; UPDATE_SNAPSHOT=1 writes it anew');
});

t.test('several at once', async () => {
  await Promise.all([migrate(client, settings), migrate(client, settings), migrate(client, settings)]);
});

t.test('a changed file is refused, a new one applied', async (t) => {
  const files = await readMigrations();
  const changed = files.map((file) => (file.number === 2 ? { ...file, checksum: 'f'.repeat(64) } : file));
  await t.rejects(migrate(client, settings, customerActivity, changed), { code: 'MIGRATION_CHANGED', message: /0002_predictions.*restore the file/ });
  await t.rejects(migrate(client, settings, customerActivity, files.slice(0, -1)), { code: 'MIGRATION_CHANGED', message: /run the newer version/ });
  const added = { number: 9000, name: '9000_more', checksum: 'a', statements: ['CREATE TABLE IF NOT EXISTS more (a Int8) ENGINE = MergeTree ORDER BY a'] };
  t.same((await migrate(client, settings, customerActivity, [...files, added])).applied, ['9000_more']);
  t.same(await rows('SELECT count() AS c FROM more'), [{ c: '0' }]);
  await client.command({ query: 'ALTER TABLE schema_migrations DELETE WHERE number = 9000', clickhouse_settings: { mutations_sync: '1' } });
});

t.test('a new feature gets its column and its histogram', async (t) => {
  const view = defineView({ ...customerActivity, version: 2, features: [...customerActivity.features, count('refunds_7d', "the customer's refunds", { of: 'refund', over: days(7) })] });
  t.same((await migrate(client, settings, view)).columnsAdded, ['refunds_7d']);
  const prediction = { prediction_id: '0-1', customer_id: 'c', event_id: 'e', event_time: '2026-01-02T03:04:05.678Z', scored_at: '2026-01-02T03:04:06Z', score: 0.25, decision: 'keep', model_version: 'm', view_version: 2, trigger: 'event', degraded: false, produced_at: '2026-01-02T03:04:05.7Z', features_at: '2026-01-02T03:04:05.8Z', kafka_partition: 0, kafka_offset: 1, kafka_time: '2026-01-02T03:04:06Z' };
  await client.insert({ table: 'predictions', format: 'JSONEachRow', values: [{ ...prediction, refunds_7d: 3, spend_7d: 100, events_7d: 0 }, { ...prediction, refunds_7d: 3, spend_7d: -2 }] });
  t.same(await rows("SELECT feature, bin, rows, total, low, high FROM feature_hours WHERE feature IN ('refunds_7d', 'spend_7d', 'events_7d', 'score', 'carts_7d') AND (feature, bin) != ('events_7d', 32767) ORDER BY feature, bin"), [
    { feature: 'carts_7d', bin: MISSING_BIN, rows: '2', total: 0, low: 0, high: 0 },
    { feature: 'events_7d', bin: 0, rows: '1', total: 0, low: 0, high: 0 },
    { feature: 'refunds_7d', bin: 10_000 + Math.floor(Math.log2(3) * 32), rows: '2', total: 6, low: 3, high: 3 },
    { feature: 'score', bin: 10_000 - 64, rows: '2', total: 0.5, low: 0.25, high: 0.25 },
    { feature: 'spend_7d', bin: -10_032, rows: '1', total: -2, low: -2, high: -2 },
    { feature: 'spend_7d', bin: 10_000 + Math.floor(Math.log2(100) * 32), rows: '1', total: 100, low: 100, high: 100 },
  ]);
  t.match(await rows('SELECT sum(rows) AS rows, sum(score_total) AS total, quantilesTDigestMerge(0.5, 0.99)(delay_ms)[1] AS p50 FROM prediction_hours'), [{ rows: '2', total: 0.5, p50: 300 }]);
  t.same(await migrate(client, settings, view), { applied: [], columnsAdded: [] });
});

t.test('how long rows stay follows the settings', async (t) => {
  const ttl = async (): Promise<string> => (await rows<{ e: string }>("SELECT engine_full AS e FROM system.tables WHERE database = currentDatabase() AND name = 'events'"))[0]?.e ?? '';
  await migrate(client, { ...settings, EVENTS_TTL_DAYS: 30 });
  t.match(await ttl(), /TTL toDateTime\(event_time\) \+ toIntervalDay\(30\).*ttl_only_drop_parts = 1/);
  await migrate(client, { ...settings, EVENTS_TTL_DAYS: 31 });
  t.match(await ttl(), /toIntervalDay\(31\)/);
  await migrate(client, settings);
  t.notMatch(await ttl(), /TTL|ttl/);
});
