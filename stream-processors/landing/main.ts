import { createClickHouse } from '../../runtime/clickhouse.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { createRecordCodec } from '../../runtime/registry/record-codec.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { createMetrics, healthOf, startTelemetry, type HealthReport } from '../../runtime/telemetry.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { CUSTOMER_OUTCOME_AVRO, type CustomerOutcome } from '../../schemas/events/outcome.js';
import { LANDING_GROUP } from '../../schemas/groups.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { createInserter } from './inserter.js';
import { createLandingMetrics, type PartitionGauges } from './metrics.js';
import { deadLettersTable } from './tables/dead-letters.js';
import { eventsTable } from './tables/events.js';
import { modelLedgerTable, shadowPredictionsTable } from './tables/model-ledger.js';
import { modelVersionsTable } from './tables/model-versions.js';
import { outcomesTable } from './tables/outcomes.js';
import { predictionsTable } from './tables/predictions.js';
import { retrainEventsTable } from './tables/retrain-events.js';
import { runTopicGroup, type TopicGroup } from './topic-group.js';

/**
 * Landing: customer-events, predictions, outcomes, dead letters, model versions, their ledger and retrain events into ClickHouse, each
 * record once. The tables must be there (`tidemark migrate`).
 * @param fail called when the process cannot go on
 */
export async function startLanding(settings: Settings, log: Log, fail: (error: unknown) => void, view: FeatureView = customerActivity): Promise<Stoppable> {
  const kafka = createKafka(settings, log);
  const registry = createRegistry(settings, log);
  const [events] = await ensureTopics(kafka, settings, [TOPICS.events, TOPICS.predictions, TOPICS.shadow, TOPICS.deadLetters, TOPICS.models, TOPICS.ledger, TOPICS.retrain, TOPICS.outcomes]);
  const client = createClickHouse(settings);
  const register = createMetrics('landing');
  let group: TopicGroup | undefined;
  const partitions = (): ReturnType<TopicGroup['partitions']> => group?.partitions() ?? [];
  const metrics = createLandingMetrics(register, partitions);
  const inserter = createInserter(client, metrics, log);
  const unreadable = (topic: string) => (error: string): void => {
    metrics.skipped(topic, 'unreadable');
    log.warn('record_unreadable', { topic, message: error });
  };
  const telemetry = await startTelemetry({
    port: settings.LANDING_METRICS_PORT, service: 'landing', metrics: register,
    health: () => Promise.resolve(landingHealth(partitions(), inserter.trouble)),
  });
  try {
    group = await runTopicGroup({
      kafka, settings, log, groupId: LANDING_GROUP, inserter, fail,
      tables: [
        eventsTable({
          registry, aheadMsMax: settings.EVENT_TIME_MAX_AHEAD_S * 1000, partitions: events!.partitions,
          skipped: (reason) => metrics.skipped(TOPICS.events.name, reason),
        }),
        predictionsTable(registry, view, unreadable(TOPICS.predictions.name)),
        deadLettersTable(),
        outcomesTable({
          codec: createRecordCodec<CustomerOutcome>(registry, subjectOf(TOPICS.outcomes.name), CUSTOMER_OUTCOME_AVRO),
          aheadMsMax: settings.EVENT_TIME_MAX_AHEAD_S * 1000,
          skipped: (reason, error) => {
            metrics.skipped(TOPICS.outcomes.name, reason);
            log.warn('outcome_skipped', { reason, message: error });
          },
        }),
        modelVersionsTable(createManifestCodec(registry), unreadable(TOPICS.models.name)),
        modelLedgerTable(registry, unreadable(TOPICS.ledger.name)),
        shadowPredictionsTable(registry, unreadable(TOPICS.shadow.name)),
        retrainEventsTable(registry, unreadable(TOPICS.retrain.name)),
      ],
    });
  } catch (error) {
    await Promise.all([telemetry.stop(), client.close()]);
    throw error;
  }
  return {
    async stop() {
      await group.stop();
      await Promise.all([telemetry.stop(), client.close()]);
    },
  };
}

function landingHealth(partitions: readonly PartitionGauges[], trouble: string | undefined): HealthReport {
  const behind = partitions.reduce((sum, { lag }) => sum + lag, 0);
  const waiting = partitions.filter(({ open }) => !open).length;
  return healthOf({
    kafka: partitions.length === 0
      ? { status: 'degraded', detail: 'no partition is assigned' }
      : waiting > 0
        ? { status: 'degraded', detail: `${waiting} of ${partitions.length} partitions wait to start, ${behind} records behind` }
        : { status: 'up', detail: `${partitions.length} partitions, ${behind} records behind` },
    clickhouse: trouble === undefined ? { status: 'up' } : { status: 'degraded', detail: trouble },
  });
}
