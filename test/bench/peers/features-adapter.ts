import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEventDecoder } from '../../../runtime/events/event-decoder.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { openPartitionReader } from '../../../runtime/kafka/cluster.js';
import { runPartitionTasks } from '../../../runtime/kafka/partition-tasks.js';
import { offsetRanges } from '../../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { runService } from '../../../runtime/lifecycle.js';
import { Log } from '../../../runtime/log.js';
import { AvroTypes } from '../../../runtime/registry/avro-types.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { loadSettings } from '../../../runtime/settings.js';
import { createMetrics as createRegister } from '../../../runtime/telemetry.js';
import { customerActivity } from '../../../schemas/features/customer-activity.js';
import { compileReducer } from '../../../stream-processors/features/core/reducer.js';
import { createMetrics } from '../../../stream-processors/features/metrics.js';
import { openStateStore } from '../../../stream-processors/features/state/store.js';
import { FeatureTask } from '../../../stream-processors/features/task.js';
import { plainFeatureEncoder } from './plain-encoder.js';

/** The feature processor as the neutral harness of the peers starts it: topics, schemas and folders come from the environment. */
const given = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this is started by the harness of the peers`);
  return value;
};
const log = new Log('features', 'info', (line) => process.stderr.write(line));

await runService(log, async (fail) => {
  const partitions = Number(given('PARTITIONS'));
  const settings = loadSettings({
    KAFKA_BROKERS: given('KAFKA_BROKERS'), DATA_DIR: given('STATE_DIR'), KAFKA_PARTITIONS: String(partitions),
    PROCESSING_GUARANTEE: given('GUARANTEE') === 'at_least_once' ? 'at_least_once' : 'exactly_once',
    ...Object.fromEntries(['COMMIT_INTERVAL_MS', 'BATCH_ROWS_MAX', 'FETCH_PACE_MS', 'FETCH_BYTES_PER_PARTITION'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  });
  const topics = { events: given('INPUT_TOPIC'), features: given('OUTPUT_TOPIC'), changelog: 'tidemark-changelog', deadLetters: 'tidemark-dlq' };
  const kafka = createKafka(settings, log);
  await ensureTopics(kafka, settings, [
    { name: topics.changelog, partitioned: true, config: { 'cleanup.policy': 'compact' } },
    { name: topics.deadLetters, partitioned: true, config: { 'cleanup.policy': 'delete' } },
  ]);
  const types = new AvroTypes(createRegistry(settings, log), topics.events);
  types.learn(Number(given('INPUT_SCHEMA_ID')), JSON.parse(readFileSync(join(given('SCHEMA_DIR'), process.env['INPUT_SCHEMA_FILE'] ?? 'CustomerEvent.avsc'), 'utf8')));
  const store = openStateStore(join(settings.DATA_DIR, 'state'));
  const reader = await openPartitionReader(kafka);
  const reducer = compileReducer(customerActivity);
  const metrics = createMetrics(createRegister('features'), () => [], () => 0);
  const tasks = await runPartitionTasks({
    settings, log, fail, partitions, groupId: 'tidemark-bench', topic: topics.events, observe: metrics.runner,
    createTask: (partition) => new FeatureTask({
      topics, partition, partitions, reducer, reader, metrics, log,
      decoder: createEventDecoder(types, 365 * 86_400_000),
      encoder: plainFeatureEncoder(customerActivity, Number(given('OUTPUT_SCHEMA_ID'))),
      store: store.partition(partition),
      forwardedBefore: () => Promise.resolve(0),
      changelogRange: async () => (await offsetRanges(kafka, topics.changelog))[partition]!,
      cacheCustomers: Math.floor(settings.STATE_CACHE_CUSTOMERS / partitions),
      sweep: { intervalMs: 0, silenceMs: 86_400_000, rowsPerS: 1 },
      now: Date.now,
      onClose: () => undefined,
    }),
  });
  return {
    async stop() {
      await tasks.stop();
      await Promise.all([reader.close(), store.close()]);
    },
  };
});
