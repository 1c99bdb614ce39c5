import t from 'tap';
import { TOPICS } from '../../schemas/topics.js';
import { openSimulation } from '../../stream-processors/sources/simulation.js';
import { testLog } from '../support/cluster.js';
import { startLandingCluster } from '../support/landing-cluster.js';
import { countEvents, differenceOf, expectedEvents, landedEvents, startLandingProcess, waitFor } from '../support/landing.js';
import { seeded, seedOf } from '../support/random.js';

const PARTITIONS = 3;
const RATE = 3000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

t.setTimeout(400_000);
t.test('every event once, though landing and ClickHouse are killed while events flow', async (t) => {
  const random = seeded(seedOf(11));
  t.comment(`seed ${random.seed}`);
  const { settings, env, client, producer, clickhouse } = await startLandingCluster(t, { partitions: PARTITIONS, batchRows: 2000 });

  const simulation = await openSimulation({ parameters: { seed: random.seed, customers: 300, new_customers_per_day: 2 }, historyDays: 30, rate: RATE }, settings, testLog);
  await simulation.history();
  const live = simulation.live();
  const disturb = (): Promise<unknown> => producer.send({ topic: TOPICS.events.name, messages: [
    { partition: random.below(PARTITIONS), key: null, value: '{"broken' },
    { partition: random.below(PARTITIONS), key: null, value: JSON.stringify({ event_id: `x${random()}`, customer_id: `X${random.below(1000)}`, event_type: 'login', event_time: 1.7e12, properties: { 'ключ': 'ü "quoted"\n' } }) },
  ] });

  let landing = startLandingProcess(env);
  t.teardown(() => landing.kill());
  await waitFor('the first rows', async () => (await countEvents(client)) > 0, 90_000);
  for (let kill = 0; kill < 5; kill++) {
    await disturb();
    await sleep(random.below(1200));
    await landing.kill();
    if (kill === 1) {
      await clickhouse.kill();
      await clickhouse.start();
    }
    landing = startLandingProcess(env);
    const before = await countEvents(client);
    await waitFor('rows after a restart', async () => (await countEvents(client)) > before, 90_000);
    if (kill === 3) {
      await clickhouse.kill(); // while landing inserts
      await clickhouse.start();
    }
  }
  await simulation.stop();
  await live;
  await disturb();

  const expected = await expectedEvents(settings, PARTITIONS);
  await waitFor(`${expected.length} rows`, async () => (await countEvents(client)) >= expected.length, 90_000).catch((error: unknown) => t.comment(String(error)));
  t.equal(await landing.stop(), 0, 'ends in order');
  t.ok(expected.length > 10_000, `${expected.length} events`);
  t.same(differenceOf(await landedEvents(client), expected), undefined, 'the table holds what the topic holds, once');
  const sums = await client.query({ query: 'SELECT (SELECT sum(rows) FROM event_hours) AS hours, (SELECT count() FROM events) AS rows, (SELECT sum(amount_total) FROM event_hours) AS money, (SELECT sum(amount) FROM events) AS amounts', format: 'JSONEachRow' });
  const [row] = await sums.json<{ hours: string; rows: string; money: number; amounts: number }>();
  t.equal(row!.hours, row!.rows, 'the hourly aggregate counts each once too');
  t.ok(Math.abs(row!.money - row!.amounts) < 1e-3);
});
