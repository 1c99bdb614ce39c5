import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import type { KafkaRecord, PartitionTask, TransactionOutput } from '../../runtime/kafka/records.js';
import { runPartitionTasks, type PartitionTasks, type PartitionTasksOptions } from '../../runtime/kafka/partition-tasks.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import type { Settings } from '../../runtime/settings.js';
import { testLog } from './cluster.js';

export const RELAY_IN = 'relay-in';
export const RELAY_OUT = 'relay-out';

/** The simplest of partition tasks: every record of one topic goes to another, so that a loss or a double shows at once. */
export async function startRelay(settings: Settings, options: Partial<PartitionTasksOptions> & {
  partitions: number;
  onProcess?: (records: readonly KafkaRecord[], output: TransactionOutput) => void | Promise<void>;
  onOpen?: (partition: number) => void | Promise<void>;
}): Promise<PartitionTasks & { failures: unknown[] }> {
  const failures: unknown[] = [];
  const createTask = (partition: number): PartitionTask => ({
    async open() { await options.onOpen?.(partition); },
    async process(records, output) {
      await options.onProcess?.(records, output);
      for (const { key, value } of records) output.append(RELAY_OUT, key, value);
    },
    committed: () => undefined,
    rollback: () => undefined,
    close: () => Promise.resolve(),
  });
  const tasks = await runPartitionTasks({ settings, log: testLog, groupId: 'relay', topic: RELAY_IN, createTask, fail: (error) => failures.push(error), ...options });
  return Object.assign(tasks, { failures });
}

export async function createRelayTopics(kafka: Kafka, partitions: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [RELAY_IN, RELAY_OUT].map((topic) => ({ topic, numPartitions: partitions, replicationFactor: 1 })) });
  await admin.disconnect();
}

/** Sends `count` records numbered from `first`, spread over the partitions. */
export async function sendNumbers(kafka: Kafka, first: number, count: number, partitions: number, valueBytes = 20): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  for (let from = first; from < first + count; from += 2000)
    await producer.send({
      topic: RELAY_IN,
      messages: Array.from({ length: Math.min(2000, first + count - from) }, (_, i) => ({ partition: (from + i) % partitions, key: String(from + i), value: Buffer.alloc(valueBytes, 120) })),
    });
  await producer.disconnect();
}

/** The numbers that a read_committed reader finds in the output topic, in partition order. */
export async function relayed(kafka: Kafka, topic = RELAY_OUT): Promise<number[]> {
  const numbers: number[] = [];
  await readTopic(kafka, topic, (_partition, records) => { for (const { key } of records) numbers.push(Number(key!.toString())); });
  return numbers;
}

/** Each of 0..count-1 exactly once? The complaint, or undefined. */
export function complaint(numbers: readonly number[], count: number): string | undefined {
  const seen = new Set(numbers);
  if (numbers.length !== seen.size) return `${numbers.length - seen.size} records twice`;
  return seen.size === count ? undefined : `${seen.size} records of ${count}`;
}

export const caughtUp = async (kafka: Kafka, count: number): Promise<boolean> => (await relayed(kafka)).length >= count;
