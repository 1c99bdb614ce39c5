import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startClickHouse } from '../../support/clickhouse.js';

const ROUNDS = 4;
const ROWS = 500;
const seed = Number(process.env['SEED'] ?? 7);
t.comment(`seed ${seed}`);
let state = seed;
const random = (): number => { state = (state * 1103515245 + 12345) & 0x7fffffff; return state / 0x7fffffff; };

t.test('kill -9 at any moment: what was answered is there, whole, and nothing twice', async (t) => {
  const clickhouse = await startClickHouse(t);
  await clickhouse.sql("CREATE TABLE k (n UInt64, day Date) ENGINE = MergeTree PARTITION BY day ORDER BY n SETTINGS non_replicated_deduplication_window = 1000");
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const victim = clickhouse.server;
    setTimeout(() => process.kill(victim.pid, 'SIGKILL'), 150 + random() * 600);
    for (let alive = true; alive;) {
      const lines = Array.from({ length: ROWS }, (_, i) => JSON.stringify({ n: acknowledged * ROWS + i, day: `2026-01-0${1 + (i % 3)}` })).join('\n');
      const url = `${victim.url}/?query=${encodeURIComponent('INSERT INTO k FORMAT JSONEachRow')}&insert_deduplication_token=batch-${acknowledged}`;
      // The batch that was under way is sent again under its token after the restart.
      alive = await fetch(url, { method: 'POST', body: lines }).then((answer) => answer.ok, () => false);
      if (alive) acknowledged++;
    }
    await victim.exited;
    await clickhouse.restart();
    const [count, distinct] = (await clickhouse.sql(`SELECT count(), uniqExact(n) FROM k WHERE n < ${acknowledged * ROWS}`)).split('\t').map(Number);
    t.same({ count, distinct }, { count: acknowledged * ROWS, distinct: acknowledged * ROWS }, `round ${round}: ${acknowledged} batches acknowledged`);
  }
  t.ok(acknowledged > ROUNDS, 'there was something to lose');
  t.same(readdirSync(join(clickhouse.dataDir, 'clickhouse', 'incoming')), [], 'no data of cut inserts is left');
});

t.test('a stop in order lets running inserts end', async (t) => {
  const clickhouse = await startClickHouse(t);
  await clickhouse.sql('CREATE TABLE s (n UInt64) ENGINE = MergeTree ORDER BY n');
  const running = clickhouse.send('/', { method: 'POST', body: 'INSERT INTO s SELECT number + sleepEachRow(0.005) FROM numbers(100)' });
  await new Promise((next) => setTimeout(next, 200));
  await clickhouse.server.stop();
  t.equal((await running).status, 200);
  await clickhouse.restart();
  t.equal(await clickhouse.sql('SELECT count() FROM s'), '100');
});

t.test('a taken port and a data folder in use are said', async (t) => {
  const clickhouse = await startClickHouse(t);
  const { startEmbeddedClickHouse } = await import('../../../runtime/embedded/clickhouse/start.js');
  const { testLog } = await import('../../support/cluster.js');
  await t.rejects(startEmbeddedClickHouse({ dataDir: join(clickhouse.dataDir, 'other'), port: clickhouse.settings.CLICKHOUSE_PORT, log: testLog }), { code: 'PORT_TAKEN', message: /CLICKHOUSE_PORT/ });
});
