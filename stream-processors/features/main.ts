import { join } from 'node:path';
import { createEventDecoder } from '../../runtime/events/event-decoder.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { openPartitionReader } from '../../runtime/kafka/cluster.js';
import { runPartitionTasks, type PartitionTasks } from '../../runtime/kafka/partition-tasks.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import type { Settings } from '../../runtime/settings.js';
import { createMetrics as createRegister, healthOf, startTelemetry } from '../../runtime/telemetry.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featuresAvro } from '../../schemas/features/derive.js';
import { compileFeatureEncoder } from '../../schemas/features/encode.js';
import { FEATURES_GROUP } from '../../schemas/groups.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { compileReducer } from './core/reducer.js';
import { forwardedBefore } from './forwarded.js';
import { createMetrics } from './metrics.js';
import { openStateStore } from './state/store.js';
import { FeatureTask } from './task.js';

/**
 * The feature processor: customer-events in; customer-features, changelog and dead letters out.
 * @param fail called when the process cannot go on
 */
export async function startFeatures(settings: Settings, log: Log, fail: (error: unknown) => void, view: FeatureView = customerActivity): Promise<Stoppable> {
  const kafka = createKafka(settings, log);
  const [events] = await ensureTopics(kafka, settings, [TOPICS.events, TOPICS.deadLetters, TOPICS.features, TOPICS.changelog]);
  const registry = createRegistry(settings, log);
  const [subject] = await registerSubjects(registry, [{ subject: subjectOf(TOPICS.features.name), schema: featuresAvro(view) }]);
  const partitions = events!.partitions;
  const reducer = compileReducer(view);
  const encoder = compileFeatureEncoder(view, subject!.id);
  const decoder = createEventDecoder(new AvroTypes(registry, subjectOf(TOPICS.events.name)), settings.EVENT_TIME_MAX_AHEAD_S * 1000);
  const store = openStateStore(join(settings.DATA_DIR, 'state', `features-${settings.INSTANCE}`));
  const reader = await openPartitionReader(kafka);

  const open = new Set<FeatureTask>();
  let tasks: PartitionTasks | undefined;
  const state = (): ReturnType<PartitionTasks['state']> => tasks?.state() ?? [];
  const register = createRegister('features');
  const metrics = createMetrics(register, state, () => [...open].reduce((sum, task) => sum + task.cached, 0));
  const telemetry = await startTelemetry({
    port: settings.FEATURES_METRICS_PORT, service: 'features', metrics: register,
    health: async () => healthOf({
      kafka: state().every((partition) => partition.open)
        ? { status: 'up', detail: `${state().length} of ${partitions} partitions, ${state().reduce((sum, { lag }) => sum + lag, 0)} records behind` }
        : { status: 'degraded', detail: `restoring partitions ${state().filter((partition) => !partition.open).map(({ partition }) => partition).join(', ')}` },
    }),
  });

  tasks = await runPartitionTasks({
    settings, log, fail, partitions,
    groupId: FEATURES_GROUP,
    topic: TOPICS.events.name,
    observe: metrics.runner,
    createTask(partition) {
      const task = new FeatureTask({
        topics: { events: TOPICS.events.name, features: TOPICS.features.name, changelog: TOPICS.changelog.name, deadLetters: TOPICS.deadLetters.name },
        partition, partitions, reducer, decoder, encoder, reader, metrics, log,
        store: store.partition(partition),
        changelogRange: async () => (await offsetRanges(kafka, TOPICS.changelog.name))[partition]!,
        forwardedBefore: async (on) => (await forwardedBefore(kafka)).get(on) ?? 0,
        cacheCustomers: Math.max(100, Math.floor(settings.STATE_CACHE_CUSTOMERS / partitions)),
        sweep: { intervalMs: settings.SWEEP_INTERVAL_S * 1000, silenceMs: settings.SWEEP_SILENCE_H * 3_600_000, rowsPerS: Math.max(1, settings.SWEEP_ROWS_PER_S / partitions) },
        now: Date.now,
        onClose: () => open.delete(task),
      });
      open.add(task);
      return task;
    },
  });
  return {
    async stop() {
      await tasks.stop();
      await Promise.all([reader.close(), store.close(), telemetry.stop()]);
    },
  };
}
