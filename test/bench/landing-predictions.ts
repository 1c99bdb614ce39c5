import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { PartitionedRecords } from '../../runtime/kafka/wire/partitioned-records.js';
import { EncodedRecords } from '../../runtime/kafka/wire/record-writer.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames, predictionsAvro } from '../../schemas/features/derive.js';
import { TOPICS } from '../../schemas/topics.js';
import { seeded } from '../support/random.js';

const CUSTOMERS = 20_000;
/** Event time that they are spread over: a stream at full speed stays within the hour, a history does not. */
export const HOURS = Number(process.env['HOURS'] ?? 1);
const BATCH_BYTES = 800_000;
const SEED = 11;

/** Predictions as a scorer writes them, with values as spread as a shop's: counts, amounts, and some missing. */
export async function publishPredictions(kafka: Kafka, schemaId: number, partitions: number, rows: number): Promise<void> {
  const random = seeded(SEED);
  const type = avroType(predictionsAvro(view));
  const names = featureNames(view);
  const producer = kafka.producer({ maxInFlightRequests: 1 });
  await producer.connect();
  const waiting = Array.from({ length: partitions }, (_, partition) => new EncodedRecords(partition, BATCH_BYTES));
  const send = async (records: EncodedRecords): Promise<void> => {
    if (records.length > 0) await producer.send({ topic: TOPICS.predictions.name, messages: PartitionedRecords.of(records) as never });
    records.clear();
  };
  const start = Date.UTC(2026, 0, 1);
  for (let row = 0; row < rows; row++) {
    const customer = `C${random.below(CUSTOMERS)}`;
    const at = start + Math.floor((row / rows) * HOURS * 3_600_000);
    const score = random();
    const values = Object.fromEntries(names.map((name, i) => [name, i % 7 === 6 && random.chance(0.2) ? Number.NaN : i < 12 ? Math.floor(4 * random.exponential()) : 40 * random.exponential()]));
    const records = waiting[partitionOf(customer, partitions)]!;
    records.append(Buffer.from(customer), frame(schemaId, type.toBuffer({
      prediction_id: `0-${row}`, customer_id: customer, event_id: `e-${row}`, event_time: at, scored_at: at + 20, score, decision: score >= 0.5 ? 'at_risk' : 'keep', model_version: '20260101T000000Z-bench',
      view_version: view.version, trigger: 'event', degraded: false, produced_at: at + 5, features_at: at + 10, channel: random.chance(0.6) ? 'web' : 'app', ...values,
    })), undefined);
    if (records.bytes > BATCH_BYTES - 2_000) await send(records);
  }
  for (const records of waiting) await send(records);
  await producer.disconnect();
}
