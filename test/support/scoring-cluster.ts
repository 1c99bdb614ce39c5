import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import { publishModel } from '../../runtime/models/publish.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featuresAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { predictionReader, type Prediction } from '../../scorer/store/prediction.js';
import { startCluster, testLog, type Cluster, type ClusterParts } from './cluster.js';
import { featureRecords, type FeatureFields } from './feature-records.js';
import { logisticModel, type LogisticModel, type LogisticOptions } from './onnx.js';

/** A broker and a registry with what a scorer reads, and a hand that writes features and models there. */
export interface ScoringCluster extends Cluster {
  readonly kafka: Kafka;
  readonly models: ReadonlyMap<string, LogisticModel>;
  /** Records of customer-features written so far. */
  readonly published: number;
  /** Writes records numbered from `published` on: number n is event e-n of customer C(n mod CUSTOMERS). */
  publishFeatures(count: number): Promise<void>;
  /** Writes one record that does not count as published. */
  publishOther(changes: Partial<FeatureFields>): Promise<void>;
  publishModel(version: string, seed: number, changes?: Partial<ModelManifest>, more?: Partial<LogisticOptions>): Promise<void>;
  /** A model that is none of `models`. */
  publishVersion(version: { readonly manifest: ModelManifest; readonly onnx: Buffer }): Promise<void>;
  predictions(): Promise<Prediction[]>;
  /** What is wrong with predictions of which each is to be of one record, with its values and its model's score. */
  complaints(all: readonly Prediction[]): string[];
}

export const CUSTOMERS = 40;

export async function startScoringCluster(t: { teardown(end: () => Promise<void>): unknown }, parts: ClusterParts & { partitions: number }): Promise<ScoringCluster> {
  const cluster = await startCluster(t, { kafka: true, registry: true, ...parts });
  const { settings } = cluster;
  const kafka = createKafka(settings, testLog);
  const transactional = createKafka(settings, testLog, 'transactional');
  const registry = createRegistry(settings, testLog);
  const codec = createManifestCodec(registry);
  await ensureTopics(kafka, settings, [TOPICS.features, TOPICS.predictions, TOPICS.shadow, TOPICS.models, TOPICS.ledger]);
  const [subject] = await registerSubjects(registry, [{ subject: subjectOf(TOPICS.features.name), schema: featuresAvro(view) }]);
  const { fields, valueOf } = featureRecords(view, subject!.id);
  const read = predictionReader(view);
  const models = new Map<string, LogisticModel>();
  const producer = kafka.producer();
  await producer.connect();
  t.teardown(() => producer.disconnect());
  let published = 0;

  const message = (n: number, changes: Partial<FeatureFields> = {}) => {
    const given = fields(n, { customer_id: `C${n % CUSTOMERS}`, ...changes });
    return { key: given.customer_id, partition: n % CUSTOMERS % parts.partitions, value: valueOf(given) };
  };
  const send = async (messages: ReturnType<typeof message>[]): Promise<void> => { await producer.send({ topic: TOPICS.features.name, messages }); };

  return {
    ...cluster, kafka, models,
    get published() { return published; },
    publishFeatures: (count) => send(Array.from({ length: count }, () => message(published++))),
    publishOther: (changes) => send([message(0, { event_id: 'other', ...changes })]),
    async publishVersion({ manifest, onnx }) { await publishModel(transactional, codec, manifest, onnx); },
    async publishModel(version, seed, changes, more) {
      const model = logisticModel(view, version, seed, changes, more);
      models.set(version, model);
      await publishModel(transactional, codec, model.manifest, model.onnx);
    },
    async predictions() {
      const all: Prediction[] = [];
      await readTopic(kafka, TOPICS.predictions.name, (_partition, records) => { for (const { value } of records) all.push(read(value!)); });
      return all;
    },
    complaints(all) {
      const found: string[] = [];
      for (const key of ['prediction_id', 'event_id'] as const) {
        const distinct = new Set(all.map((prediction) => prediction[key])).size;
        if (distinct !== published) found.push(`${distinct} distinct ${key}, ${published} records`);
      }
      if (all.length !== published) found.push(`${all.length} predictions, ${published} records`);
      for (const { event_id, model_version, values, score } of all) {
        const given = fields(Number(event_id.slice(2))).values;
        if (!values.every((value, i) => Object.is(value, given[i]))) found.push(`${event_id}: other values than its record`);
        if (Math.abs(models.get(model_version)!.score(values) - score) > 1e-6) found.push(`${event_id}: not the score of ${model_version}`);
      }
      return found.slice(0, 5);
    },
  };
}
