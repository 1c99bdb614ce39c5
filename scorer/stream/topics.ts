import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Registry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import type { Settings } from '../../runtime/settings.js';
import { SHADOW_PREDICTION_AVRO } from '../../schemas/events/shadow-prediction.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featuresAvro, predictionsAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';

/** The scorer's topics, and the registry's ids of the schemas that it reads and writes. */
export interface ScorerTopics {
  readonly partitions: number;
  readonly featuresId: number;
  readonly predictionsId: number;
  readonly shadowId: number;
}

export async function prepareScorerTopics(kafka: Kafka, registry: Registry, settings: Settings, view: FeatureView): Promise<ScorerTopics> {
  const [features] = await ensureTopics(kafka, settings, [TOPICS.features, TOPICS.predictions, TOPICS.shadow, TOPICS.models, TOPICS.ledger]);
  const [featuresSubject, predictionsSubject, shadowSubject] = await registerSubjects(registry, [
    { subject: subjectOf(TOPICS.features.name), schema: featuresAvro(view) },
    { subject: subjectOf(TOPICS.predictions.name), schema: predictionsAvro(view) },
    { subject: subjectOf(TOPICS.shadow.name), schema: SHADOW_PREDICTION_AVRO },
  ]);
  return { partitions: features!.partitions, featuresId: featuresSubject!.id, predictionsId: predictionsSubject!.id, shadowId: shadowSubject!.id };
}
