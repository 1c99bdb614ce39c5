import { migrate } from '../../clickhouse/migrate.js';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { predictionsAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { startLanding } from '../../stream-processors/landing/main.js';
import { openSimulation } from '../../stream-processors/sources/simulation.js';
import { startCluster, testLog } from '../support/cluster.js';
import { watchCpu } from './cpu.js';
import { HOURS, publishPredictions } from './landing-predictions.js';

/**
 * Published first, then landing started on it: rows a second from its start to the last row in ClickHouse. TABLES: events
 * (simulated), predictions (every view and histogram of theirs filled, over HOURS of event time); each on a cluster of its own.
 */
const ROWS = Number(process.env['ROWS'] ?? 1_000_000);
const TABLES = (process.env['TABLES'] ?? 'events,predictions').split(',');
const PARTITIONS = 4;
const CUSTOMERS = 20_000;

for (const table of TABLES) {
  const ends: (() => Promise<void>)[] = [];
  const { settings, pids } = await startCluster({ teardown: (end: () => Promise<void>) => ends.push(end) }, { kafka: true, registry: true, clickhouse: true, partitions: PARTITIONS });
  try {
    const client = createClickHouse(settings);
    await migrate(client, settings);
    const kafka = createKafka(settings, testLog);
    await ensureTopics(kafka, settings, Object.values(TOPICS));
    let published = ROWS;
    if (table === 'events') {
      const simulation = await openSimulation({ parameters: { customers: CUSTOMERS, new_customers_per_day: CUSTOMERS / 250 }, historyDays: 10_000, rate: 1e9 }, settings, testLog);
      await simulation.history!((progress) => {
        published = progress.published;
        if (published >= ROWS) void simulation.stop();
      });
    } else {
      const [subject] = await registerSubjects(createRegistry(settings, testLog), [{ subject: subjectOf(TOPICS.predictions.name), schema: predictionsAvro(view) }]);
      await publishPredictions(kafka, subject!.id, PARTITIONS, ROWS);
    }
    const cpu = process.cpuUsage();
    const cores = watchCpu(pids);
    const startedAt = performance.now();
    const landing = await startLanding(settings, testLog, (error) => { throw error; });
    for (let rows = 0; rows < published; await new Promise((resolve) => setTimeout(resolve, 100))) {
      const result = await client.query({ query: `SELECT count() AS rows FROM ${table}`, format: 'JSONEachRow' });
      rows = Number(((await result.json()) as { rows: string | number }[])[0]!.rows);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({ bench: 'landing', table, ...(table === 'predictions' ? { hours: HOURS } : {}), rows: published, rows_per_s: Math.round(published / seconds), cpu_us_per_row: Number(((user + system) / published).toFixed(2)), cores: cores() }));
    await landing.stop();
    await client.close();
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
