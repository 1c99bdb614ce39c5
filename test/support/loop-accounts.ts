import { createKafka } from '../../runtime/kafka/client.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import { createLedgerCodec } from '../../runtime/models/ledger.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { createRecordCodec } from '../../runtime/registry/record-codec.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { FRAME_BYTES } from '../../runtime/registry/wire-format.js';
import type { Settings } from '../../runtime/settings.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import { RETRAIN_EVENT_AVRO, type RetrainEvent } from '../../schemas/events/retrain-event.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featuresAvro } from '../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { predictionReader } from '../../scorer/store/prediction.js';
import { testLog } from './cluster.js';

/** What the topics say; what is in ClickHouse is held against it. */
export interface Accounts {
  /** Every record of the ledger, those that were written twice included. */
  readonly ledger: readonly LedgerEntry[];
  readonly retrain: readonly RetrainEvent[];
  /** Ids of the predictions, as often as they are there. */
  readonly predictions: ReadonlyMap<string, number>;
  /** Feature records that are to be scored, by the id that their prediction has: those from the first scored one on, and those of the live part. */
  readonly toScore: ReadonlySet<string>;
}

/** @param liveMs event time at which the live part begins: what is before it is history, and not scored */
export async function readAccounts(settings: Settings, liveMs: number): Promise<Accounts> {
  const kafka = createKafka(settings, testLog);
  const registry = createRegistry(settings, testLog);
  const ledger: LedgerEntry[] = [];
  const ledgerCodec = createLedgerCodec(registry);
  await readTopic(kafka, TOPICS.ledger.name, async (_partition, records) => { for (const { value } of records) ledger.push(await ledgerCodec.decode(value!)); });
  const retrain: RetrainEvent[] = [];
  const retrainCodec = createRecordCodec<RetrainEvent>(registry, subjectOf(TOPICS.retrain.name), RETRAIN_EVENT_AVRO);
  await readTopic(kafka, TOPICS.retrain.name, async (_partition, records) => { for (const { value } of records) retrain.push(await retrainCodec.decode(value!)); });

  const read = predictionReader(view);
  const predictions = new Map<string, number>();
  const first = new Map<number, number>();
  await readTopic(kafka, TOPICS.predictions.name, (_partition, records) => {
    for (const { value } of records) {
      const { prediction_id } = read(value!);
      predictions.set(prediction_id, (predictions.get(prediction_id) ?? 0) + 1);
      const [partition, offset] = prediction_id.split('-').map(Number) as [number, number];
      first.set(partition, Math.min(first.get(partition) ?? Infinity, offset));
    }
  });
  const features = avroType(featuresAvro(view));
  const toScore = new Set<string>();
  await readTopic(kafka, TOPICS.features.name, (partition, records) => {
    for (const { value, offset } of records) {
      const { event_time } = features.decode(value!, FRAME_BYTES).value as { event_time: number };
      if (offset >= (first.get(partition) ?? Infinity) || event_time >= liveMs) toScore.add(`${partition}-${offset}`);
    }
  });
  return { ledger, retrain, predictions, toScore };
}

/** Feature records without a prediction, predictions without or with more than one; empty where each has one. */
export function unbalanced({ predictions, toScore }: Accounts): string[] {
  return [
    ...[...toScore].filter((id) => !predictions.has(id)).map((id) => `${id} was not scored`),
    ...[...predictions].filter(([id]) => !toScore.has(id)).map(([id]) => `${id} was scored and stands on no feature record`),
    ...[...predictions].filter(([, count]) => count > 1).map(([id, count]) => `${id} was scored ${count} times`),
  ];
}
