import { createClickHouse } from '../../runtime/clickhouse.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { runPartitionTasks, type PartitionTasks } from '../../runtime/kafka/partition-tasks.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { createMetrics, healthOf, startTelemetry, type HealthReport } from '../../runtime/telemetry.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { TOPICS } from '../../schemas/topics.js';
import { championOf, gainOf } from './champion.js';
import { createDecisions, retrainCodec } from './decisions.js';
import { watchEvents } from './events-landed.js';
import { createPerformanceFiller, STATEMENT_MS_MAX, type PerformanceFiller } from './filler.js';
import { createLooker, type Looker } from './looker.js';
import { createDriftMetrics } from './metrics.js';
import { watchPerformance, type PerformanceWatch } from './performance-watch.js';
import { policyOf, segmentsOf } from './policy.js';
import { scheduledReason } from './scheduled.js';
import { createDriftStore } from './store.js';
import { measureTogether, type Multivariate } from './together.js';
import { createDriftTask, type OtherReason } from './task.js';

export const DRIFT_GROUP = 'tidemark-drift';
/** How often the task is asked; DRIFT_POLL_MS bounds how often ClickHouse is. */
const IDLE_MS = 50;

/** What the service is given by whoever starts it. */
export interface DriftParts {
  readonly view?: FeatureView;
  /** Tells windows apart by all features together; without it that is not watched. */
  readonly multivariate?: Multivariate | undefined;
}

/**
 * The drift service: looks at windows of event time, judges them, writes what it finds to ClickHouse and what it decides to
 * retrain-events. Several may run: one has the partition and decides, the others stand by.
 * @param fail called when the process cannot go on
 */
export async function startDrift(settings: Settings, log: Log, fail: (error: unknown) => void, parts: DriftParts = {}): Promise<Stoppable> {
  const { view = customerActivity, multivariate } = parts;
  const kafka = createKafka(settings, log);
  const codec = retrainCodec(createRegistry(settings, log));
  await ensureTopics(kafka, settings, [TOPICS.retrain, TOPICS.events]);
  const client = createClickHouse(settings);
  const model = settings.MODEL_NAME;
  const decisions = createDecisions(model, codec, log);
  const looker = createLooker({
    client, store: createDriftStore(client), model, view, policy: policyOf(settings), segments: segmentsOf(settings.DRIFT_SEGMENTS), eventsBehind: watchEvents(kafka), log,
    together: multivariate === undefined ? undefined : measureTogether(multivariate, () => metrics, log),
    expectedGain: async (version) => {
      const champion = await championOf(client, model);
      return champion?.version === version ? gainOf(client, settings, champion) : null;
    },
  });
  const register = createMetrics('drift');
  const metrics = createDriftMetrics(register, () => looker.position, () => filler.position);
  const slowly = createClickHouse(settings, { requestTimeoutMs: STATEMENT_MS_MAX });
  const performanceWatch = watchPerformance({
    client: slowly, store: createDriftStore(slowly), settings, log,
    looked: (mode) => {
      metrics.performanceLooked(mode);
      filler.again();
    },
  });
  const filler = createPerformanceFiller({ settings, client: slowly, view, log, then: (labels, signal) => performanceWatch.prepare(labels, signal), filled: (fill, tookMs) => metrics.filled(fill, tookMs) });
  const others = [scheduledReason({ settings, client, decisions })].filter((reason): reason is OtherReason => reason !== undefined);
  let tasks: PartitionTasks | undefined;
  let trouble: string | undefined;
  const telemetry = await startTelemetry({
    port: settings.DRIFT_METRICS_PORT, service: 'drift', metrics: register,
    health: () => Promise.resolve(driftHealth(tasks?.state().some(({ open }) => open) === true, trouble, looker.position, filler.position, performanceWatch.position)),
  });
  try {
    tasks = await runPartitionTasks({
      settings: { ...settings, PROCESSING_GUARANTEE: 'exactly_once' }, log, groupId: DRIFT_GROUP, topic: TOPICS.retrain.name, partitions: 1, idleMs: IDLE_MS, fail,
      createTask: () => createDriftTask({ settings, kafka, codec, decisions, looker, filler, performance: performanceWatch, others, metrics, log, trouble: (message) => { trouble = message; } }),
    });
  } catch (error) {
    await Promise.all([telemetry.stop(), client.close(), slowly.close()]);
    throw error;
  }
  return {
    async stop() {
      await tasks.stop();
      await Promise.all([telemetry.stop(), client.close(), slowly.close()]);
    },
  };
}

function driftHealth(decides: boolean, trouble: string | undefined, { window_to, mode, events_behind }: Looker['position'], labels: PerformanceFiller['position'], looks: PerformanceWatch['position']): HealthReport {
  return healthOf({
    kafka: { status: 'up', detail: decides ? 'this process decides' : 'another process decides, or none yet' },
    clickhouse: trouble === undefined
      ? { status: 'up', detail: `${window_to === 0 ? 'no window looked at yet' : `${mode}, looked at up to ${new Date(window_to).toISOString()}`}${events_behind === 0 ? '' : `, the next look waits for ${events_behind} events to land`}` }
      : { status: 'degraded', detail: trouble },
    performance: labels.trouble === undefined
      ? { status: 'up', detail: labels.labelled_to === 0 ? 'no prediction is old enough for a label yet' : `labels up to ${new Date(labels.labelled_to).toISOString()}${looks.window_to === 0 ? '' : `, ${looks.mode}, looked at up to ${new Date(looks.window_to).toISOString()}`}` }
      : { status: 'degraded', detail: labels.trouble },
  });
}
