import { createKafka } from '../../runtime/kafka/client.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import type { FetchedBatch } from '../../runtime/kafka/wire/fetched-batch.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { publishModel } from '../../runtime/models/publish.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { createClickHouse } from '../../runtime/clickhouse.js';
import { migrate } from '../../clickhouse/migrate.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { TOPICS } from '../../schemas/topics.js';
import { predictionReader } from '../../scorer/store/prediction.js';
import { Child } from '../support/child.js';
import { startCluster, testLog } from '../support/cluster.js';
import { logisticModel } from '../support/onnx.js';
import { until } from '../support/wait.js';
import { watchCpu } from './cpu.js';

/**
 * Every process on this machine (broker, registry, ClickHouse, features, scorer, landing): events at RATE a second for
 * SECONDS, each timed from its send to its prediction in a read_committed consumer of `predictions`. The consumer and the
 * sender share the two cores with all of it.
 */
const RATE = Number(process.env['RATE'] ?? 1000);
const WARM_S = Number(process.env['WARM_S'] ?? 40);
const SECONDS = Number(process.env['SECONDS'] ?? 20);
const CUSTOMERS = 5000;
const PARTITIONS = 4;
const TICK_MS = 5;

const ends: (() => Promise<void>)[] = [];
const cluster = await startCluster({ teardown: (end: () => Promise<void>) => ends.push(end) }, {
  kafka: true, registry: true, clickhouse: true, partitions: PARTITIONS,
  settings: Object.fromEntries(['COMMIT_INTERVAL_MS', 'FETCH_PACE_MS', 'LANDING_FLUSH_MS', 'PROCESSING_GUARANTEE'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
});
try {
  const { settings } = cluster;
  const kafka = createKafka(settings, testLog);
  const client = createClickHouse(settings);
  await migrate(client, settings);
  await client.close();
  await ensureTopics(kafka, settings, Object.values(TOPICS));
  const { manifest, onnx } = logisticModel(customerActivity, '20260101T000000Z-bench', 1, { stage: 'champion' });
  await publishModel(createKafka(settings, testLog, 'transactional'), createManifestCodec(createRegistry(settings, testLog)), manifest, onnx);
  const children = ['features', 'scorer', 'landing'].map((name) => new Child(`${name}-process.js`, { ...cluster.env }));
  ends.push(async () => { await Promise.all(children.map((child) => child.stop())); });
  for (const child of children) child.start();
  await until('the feature processor', () => children[0]!.lines.some((line) => line.includes('"partition_ready"')));

  const sentAt: number[] = [];
  const latencies: number[] = [];
  let received = 0;
  const total = RATE * (WARM_S + SECONDS);
  const read = predictionReader(customerActivity);
  const consumer = kafka.consumer({ groupId: 'bench', maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [TOPICS.predictions.name], fromBeginning: true });
  await consumer.run({
    autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: PARTITIONS,
    eachBatch({ batch, resolveOffset }) {
      const now = performance.now();
      for (const { value } of (batch as unknown as FetchedBatch).records) {
        const n = Number(read(value!).event_id.slice(1));
        received++;
        if (n >= RATE * WARM_S) latencies.push(now - sentAt[n]!);
      }
      resolveOffset(batch.lastOffset());
      return Promise.resolve();
    },
  });

  const producer = kafka.producer({ maxInFlightRequests: 5 });
  await producer.connect();
  const startedAt = performance.now();
  let cpu: (() => Record<string, number>) | undefined;
  const [features, scorer, landing] = children.map(({ pid }) => pid);
  const types = ['page_view', 'page_view', 'add_to_cart', 'purchase', 'login'];
  let n = 0;
  const pending: Promise<unknown>[] = [];
  while (n < total) {
    if (n >= RATE * WARM_S) cpu ??= watchCpu({ ...cluster.pids, features, scorer, landing, bench: process.pid });
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * RATE));
    const messages = [];
    for (; n < due; n++) {
      const customer = `C${(n * 7919) % CUSTOMERS}`;
      sentAt[n] = performance.now();
      messages.push({
        partition: partitionOf(customer, PARTITIONS), key: customer,
        value: JSON.stringify({ event_id: `e${n}`, customer_id: customer, event_type: types[n % types.length], amount: n % 5 === 3 ? 20 + (n % 50) : null, quantity: null, channel: 'web', event_time: Date.now(), properties: {} }),
      });
    }
    if (messages.length > 0) pending.push(producer.send({ topic: TOPICS.events.name, messages, acks: -1 }));
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  const cores = cpu?.();
  await Promise.all(pending);
  await until('all predictions', () => received >= total, 60_000);
  await consumer.disconnect();
  await producer.disconnect();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => Number(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!.toFixed(1));
  console.log(JSON.stringify({ bench: 'path', rate: RATE, seconds: SECONDS, events: latencies.length, p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), max_ms: at(1), received, total, cores }));
} finally {
  for (const end of ends.reverse()) await end();
}
