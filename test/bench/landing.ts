import { createClickHouse } from '../../runtime/clickhouse.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { migrate } from '../../clickhouse/migrate.js';
import { TOPICS } from '../../schemas/topics.js';
import { startLanding } from '../../stream-processors/landing/main.js';
import { openSimulation } from '../../stream-processors/sources/simulation.js';
import { startCluster, testLog } from '../support/cluster.js';

/** Simulated history published first, then landing started on it: rows a second from its start to the last row in ClickHouse. */
const ROWS = Number(process.env['ROWS'] ?? 1_000_000);
const CUSTOMERS = 20_000;
const ends: (() => Promise<void>)[] = [];
const { settings } = await startCluster({ teardown: (end: () => Promise<void>) => ends.push(end) }, { kafka: true, registry: true, clickhouse: true, partitions: 4 });
try {
  const client = createClickHouse(settings);
  await migrate(client, settings);
  await ensureTopics(createKafka(settings, testLog), settings, [TOPICS.events, TOPICS.predictions, TOPICS.deadLetters, TOPICS.models]);
  const simulation = await openSimulation({ parameters: { customers: CUSTOMERS, new_customers_per_day: CUSTOMERS / 250 }, historyDays: 10_000, rate: 1e9 }, settings, testLog);
  let published = 0;
  const publishedAt = performance.now();
  await simulation.history!((progress) => {
    published = progress.published;
    if (published >= ROWS) void simulation.stop();
  });
  const publishS = (performance.now() - publishedAt) / 1000;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const landing = await startLanding(settings, testLog, (error) => { throw error; });
  for (let rows = 0; rows < published; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const result = await client.query({ query: 'SELECT count() AS rows FROM events', format: 'JSONEachRow' });
    rows = Number(((await result.json()) as { rows: string | number }[])[0]!.rows);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ bench: 'landing', rows: published, rows_per_s: Math.round(published / seconds), cpu_us_per_row: Number(((user + system) / published).toFixed(2)), published_per_s: Math.round(published / publishS) }));
  await landing.stop();
  await client.close();
} finally {
  for (const end of ends.reverse()) await end();
}
