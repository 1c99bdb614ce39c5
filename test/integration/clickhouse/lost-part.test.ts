import { rm } from 'node:fs/promises';
import { Registry } from 'prom-client';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { Block } from '../../../stream-processors/landing/core/block.js';
import { createInserter } from '../../../stream-processors/landing/inserter.js';
import { createLandingMetrics } from '../../../stream-processors/landing/metrics.js';
import { KAFKA_COLUMNS, writeKafkaColumns } from '../../../stream-processors/landing/tables/kafka-columns.js';
import { startClickHouse } from '../../support/clickhouse.js';
import { testLog } from '../../support/cluster.js';

const clickhouse = await startClickHouse(t);
const client = clickhouse.client();
await migrate(client, clickhouse.settings);
const inserter = createInserter(client, createLandingMetrics(new Registry(), () => []), testLog);
const SPEC = { topic: 'customer-events', table: 'events', columns: ['event_id', 'customer_id', 'event_type', 'amount', 'channel', 'event_time', ...KAFKA_COLUMNS], encode: () => true };
const DAYS = 10;

/** 100 purchases of ten days. */
function block(from: number): Block {
  const made = new Block(from, 0);
  const { rows } = made;
  for (let offset = from; offset < from + 100; offset++) {
    rows.string(`e${offset}`);
    rows.string(`c${offset % 7}`);
    rows.uint8(4);
    rows.uint8(0);
    rows.float64(offset);
    rows.string('web');
    rows.int64(Date.UTC(2026, 0, 1 + (offset % DAYS)));
    writeKafkaColumns(rows, 0, { offset, timestamp: 1_767_225_600_000 + offset, key: null, value: null, headers: {} });
    made.seen(offset, 1_767_225_600_000 + offset, true);
  }
  return made;
}

const query = async <T>(text: string): Promise<T[]> => (await client.query({ query: text, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<T>();
const sums = async (): Promise<unknown> => (await query('SELECT (SELECT (count(), uniqExact(kafka_offset), sum(amount)) FROM events) AS events, (SELECT (sum(rows), sum(amount_total)) FROM event_hours) AS hours'))[0];
/** Kills the server and takes from its disk what it would not have had there, had it been killed after noting the token and before the part was in place. */
async function loseParts(where: string): Promise<void> {
  const parts = await query<{ path: string }>(`SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active AND ${where}`);
  process.kill(clickhouse.server.pid, 'SIGKILL');
  await clickhouse.server.exited;
  for (const { path } of parts) await rm(path, { recursive: true });
  await clickhouse.restart();
}

t.test('parts that a kill took after their token was noted are put back, and the views count nothing twice', async (t) => {
  await inserter.insert(SPEC, 0, block(0), 'none', () => true);
  const whole = { events: [100, 100, 4950], hours: [100, 4950] };
  t.same(await sums(), whole);
  await loseParts("partition IN ('20260103', '20260107')");
  t.same(await sums(), { events: [80, 80, 3970], hours: [100, 4950] });
  await inserter.insert(SPEC, 0, block(0), 'block', () => true);
  t.same(await sums(), whole);
  t.same(await query("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%repair%'"), [], 'nothing else stays');
});

t.test('a repair that was itself cut short', async (t) => {
  await loseParts("partition IN ('20260102', '20260105')");
  await client.command({ query: 'CREATE TABLE events_repair_0_0 AS events' });
  await client.command({ query: 'INSERT INTO events_repair_0_0 SELECT * FROM events' });
  await inserter.insert(SPEC, 0, block(0), 'block', () => true);
  t.same(await sums(), { events: [100, 100, 4950], hours: [100, 4950] });
});

t.test('rows of a block whose token is forgotten come with their views’ rows', async (t) => {
  await inserter.insert(SPEC, 0, block(100), 'rows', () => true);
  t.same(await sums(), { events: [200, 200, 19_900], hours: [200, 19_900] });
});
