import { migrate } from '../clickhouse/migrate.js';
import { createClickHouse } from '../runtime/clickhouse.js';
import { createKafka } from '../runtime/kafka/client.js';
import { ensureTopics, type TopicState } from '../runtime/kafka/topics.js';
import type { Log } from '../runtime/log.js';
import { createRegistry } from '../runtime/registry/registry.js';
import { registerSubjects, type RegisteredSubject, type SubjectSpec } from '../runtime/registry/subjects.js';
import type { Settings } from '../runtime/settings.js';
import { CUSTOMER_EVENT_AVRO } from '../schemas/events/customer-event.js';
import { LEDGER_ENTRY_AVRO } from '../schemas/events/ledger-entry.js';
import { MODEL_MANIFEST_AVRO } from '../schemas/events/model.js';
import { SHADOW_PREDICTION_AVRO } from '../schemas/events/shadow-prediction.js';
import { CUSTOMER_OUTCOME_AVRO } from '../schemas/events/outcome.js';
import { RETRAIN_EVENT_AVRO } from '../schemas/events/retrain-event.js';
import { customerActivity } from '../schemas/features/customer-activity.js';
import { featuresAvro, predictionsAvro } from '../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../schemas/topics.js';

/** Every subject of the system with the schema of this version. */
export const SUBJECTS: readonly SubjectSpec[] = [
  { subject: subjectOf(TOPICS.events.name), schema: CUSTOMER_EVENT_AVRO },
  { subject: subjectOf(TOPICS.features.name), schema: featuresAvro(customerActivity) },
  { subject: subjectOf(TOPICS.predictions.name), schema: predictionsAvro(customerActivity) },
  { subject: subjectOf(TOPICS.shadow.name), schema: SHADOW_PREDICTION_AVRO },
  { subject: subjectOf(TOPICS.models.name), schema: MODEL_MANIFEST_AVRO },
  { subject: subjectOf(TOPICS.ledger.name), schema: LEDGER_ENTRY_AVRO },
  { subject: subjectOf(TOPICS.retrain.name), schema: RETRAIN_EVENT_AVRO },
  { subject: subjectOf(TOPICS.outcomes.name), schema: CUSTOMER_OUTCOME_AVRO },
];

/**
 * Creates the topics that are missing and registers the schemas; what is there is left as it is.
 * @throws TidemarkError TOPIC_MISMATCH, SCHEMA_INCOMPATIBLE with the registry's reason
 */
export async function prepareTopics(settings: Settings, log: Log): Promise<{ topics: TopicState[]; subjects: RegisteredSubject[] }> {
  const topics = await ensureTopics(createKafka(settings, log), settings, Object.values(TOPICS));
  for (const { name, warnings } of topics) for (const warning of warnings) log.warn('topic_differs', { topic: name, warning });
  const subjects = await registerSubjects(createRegistry(settings, log), SUBJECTS);
  return { topics, subjects };
}

/** Topics, schemas and ClickHouse's tables. */
export async function prepare(settings: Settings, log: Log): Promise<void> {
  const client = createClickHouse(settings);
  try {
    await Promise.all([prepareTopics(settings, log), migrate(client, settings)]);
  } finally {
    await client.close();
  }
}
