import type { Kafka, Producer, ProducerRecord } from '../../runtime/kafka/kafkajs.js';
import { CUSTOMER_EVENT_AVRO, type CustomerEvent } from '../../schemas/events/customer-event.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { kafkajs } from '../../runtime/kafka/kafkajs.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import { EncodedRecords } from '../../runtime/kafka/wire/record-writer.js';
import type { Log } from '../../runtime/log.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { registerSubjects } from '../../runtime/registry/subjects.js';
import { FRAME_BYTES, MAGIC_BYTE } from '../../runtime/registry/wire-format.js';
import type { Settings } from '../../runtime/settings.js';

/** Below the broker's default message.max.bytes (1,048,588) with room for the batch header. */
const PARTITION_BYTES_MAX = 900_000;
const BATCH_ROWS_MAX = 20_000;
/** Longer rows cannot be events (see EVENT_BOUNDS.record_bytes_max); so much of one is kept for whoever looks at the dead letter. */
const RAW_BYTES_MAX = 200_000;

/**
 * Puts events on customer-events: Avro in Confluent framing, keyed by customer_id, partitioned as Kafka's Java clients do.
 * Idempotent producer, acknowledged by all replicas. Adding is synchronous; `send` hands over what was added.
 */
export interface Publisher {
  /** Adds an event that was checked. */
  add(event: CustomerEvent): void;
  /** Adds bytes that are no event, as they are: the feature processor files them among the dead letters with a reason. */
  addRaw(customerId: string | null, value: Buffer): void;
  /** The bytes that `add` would send; valid until the next call. */
  encode(event: CustomerEvent): Buffer;
  /** True when it is time to send. */
  readonly full: boolean;
  /** Records added and not yet handed over. */
  readonly pending: number;
  readonly partitions: number;
  /** Offset after the last acknowledged record, by partition; before the first send the partition's end. */
  readonly nextOffsets: readonly number[];
  /** Sends what was added; on return all of it is acknowledged. One send at a time. @throws TidemarkError BROKER_UNREACHABLE */
  send(): Promise<void>;
  close(): Promise<void>;
}

/** @throws TidemarkError when broker, topic or registry are not there */
export async function openPublisher(settings: Settings, log: Log): Promise<Publisher> {
  const topic = TOPICS.events.name;
  const [subject] = await registerSubjects(createRegistry(settings, log), [{ subject: subjectOf(topic), schema: CUSTOMER_EVENT_AVRO }]);
  const kafka = createKafka(settings, log);
  const nextOffsets = await endOffsets(kafka, topic);
  const partitions = nextOffsets.length;
  const producer: Producer = kafka.producer({
    idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();

  const type = avroType(CUSTOMER_EVENT_AVRO);
  let scratch = Buffer.allocUnsafe(128 * 1024);
  scratch[0] = MAGIC_BYTE;
  scratch.writeUInt32BE(subject!.id, 1);
  const key = Buffer.allocUnsafe(1024);
  const records = Array.from({ length: partitions }, (_, partition) => new EncodedRecords(partition));
  let pending = 0;
  let full = false;

  function encode(event: CustomerEvent): Buffer {
    const end = type.encode(event, scratch, FRAME_BYTES);
    if (end >= 0) return scratch.subarray(0, end);
    const larger = Buffer.allocUnsafe(2 * scratch.length - end);
    scratch.copy(larger, 0, 0, FRAME_BYTES);
    scratch = larger;
    return encode(event);
  }

  function append(partition: number, keyBytes: Buffer | null, value: Buffer): void {
    records[partition]!.append(keyBytes, value, undefined);
    pending++;
    if (records[partition]!.bytes >= PARTITION_BYTES_MAX - RAW_BYTES_MAX || pending >= BATCH_ROWS_MAX) full = true;
  }

  return {
    encode, partitions, nextOffsets,
    get full() { return full; },
    get pending() { return pending; },
    add(event) {
      const keyBytes = key.subarray(0, key.write(event.customer_id, 0, 'utf8'));
      append(partitionOf(keyBytes, partitions), keyBytes, encode(event));
    },
    addRaw(customerId, value) {
      const keyBytes = customerId === null ? null : Buffer.from(customerId, 'utf8');
      append(keyBytes === null ? pending % partitions : partitionOf(keyBytes, partitions), keyBytes, value.subarray(0, RAW_BYTES_MAX));
    },
    async send() {
      try {
        for (const batch of records) {
          if (batch.length === 0) continue;
          const count = batch.length;
          const [written] = await producer.sendBatch({ acks: -1, topicMessages: [{ topic, messages: batch }] as unknown as ProducerRecord[] });
          nextOffsets[batch.partition] = Number(written!.baseOffset) + count;
          batch.clear();
        }
        pending = 0;
        full = false;
      } catch (error) {
        throw new TidemarkError('BROKER_UNREACHABLE', `publishing to ${topic}: ${messageOf(error)}; the next start goes on after the last acknowledged event`, { cause: error });
      }
    },
    close: () => producer.disconnect(),
  };
}

async function endOffsets(kafka: Kafka, topic: string): Promise<number[]> {
  try {
    return (await offsetRanges(kafka, topic)).map(({ high }) => high);
  } catch (error) {
    throw new TidemarkError('TOPIC_MISMATCH', `topic ${topic}: ${messageOf(error)}; create it with: tidemark topics`, { cause: error });
  }
}
