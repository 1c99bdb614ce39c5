import type { Kafka } from 'kafkajs';
import { TidemarkError } from '../errors.js';
import { openPartitionReader, type PartitionReader } from './cluster.js';
import { onceLed } from './leaders.js';
import type { KafkaRecord } from './records.js';

/** First offset that is there and the offset after the last, open transactions and markers included, as the broker has them now. */
export interface OffsetRange {
  readonly low: number;
  readonly high: number;
}

export const offsetRanges = (kafka: Kafka, topic: string): Promise<OffsetRange[]> => onceLed(() => rangesNow(kafka, topic));

async function rangesNow(kafka: Kafka, topic: string): Promise<OffsetRange[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ranges: OffsetRange[] = [];
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) ranges[partition] = { low: Number(low), high: Number(high) };
    return ranges;
  } finally {
    await admin.disconnect();
  }
}

export interface ReadOptions {
  readonly topic: string;
  readonly partition: number;
  /** First offset to read. */
  readonly from: number;
  /** The offset at which reading ends. It counts invisible records too, so it is compared with the position, never with a record. */
  readonly to: number;
  onRecords(records: readonly KafkaRecord[], nextOffset: number): void | Promise<void>;
  /** A partition that makes no progress for so long while its end is not reached is an error. */
  readonly stallMsMax?: number;
}

/**
 * Reads committed records of one partition up to an offset.
 * @returns the position after the last, at least `to`
 * @throws TidemarkError CONSUMER_STALLED when an open transaction or a lost leader keeps the end out of reach
 */
export async function readPartition(reader: PartitionReader, { topic, partition, from, to, onRecords, stallMsMax = 90_000 }: ReadOptions): Promise<number> {
  let position = from;
  let progressAt = Date.now();
  while (position < to) {
    const batch = await reader.fetch(topic, partition, position, 250);
    if (batch.nextOffset > position) {
      if (batch.records.length > 0) await onRecords(batch.records, batch.nextOffset);
      position = batch.nextOffset;
      progressAt = Date.now();
    } else if (Date.now() - progressAt > stallMsMax) {
      throw new TidemarkError('CONSUMER_STALLED',
        `${topic}-${partition}: no committed record beyond offset ${position} for ${stallMsMax} ms, expected up to ${to}: ` +
        'a transaction is left open (it ends after its timeout) or the partition has no leader');
    }
  }
  return position;
}

/** Reads a whole topic as it stands now, partition by partition; transactions that are open now are waited for. */
export async function readTopic(kafka: Kafka, topic: string, onRecords: (partition: number, records: readonly KafkaRecord[]) => void | Promise<void>): Promise<void> {
  const ranges = await offsetRanges(kafka, topic);
  const reader = await openPartitionReader(kafka);
  try {
    for (const [partition, { low, high }] of ranges.entries())
      await readPartition(reader, { topic, partition, from: low, to: high, onRecords: (records) => onRecords(partition, records) });
  } finally {
    await reader.close();
  }
}

/** Whether a topic holds a committed record: what is left of an aborted transaction, and markers, make a partition longer and are none. */
export async function hasRecords(kafka: Kafka, topic: string): Promise<boolean> {
  const ranges = await offsetRanges(kafka, topic);
  const reader = await openPartitionReader(kafka, 65_536);
  const FOUND = Symbol('found');
  try {
    for (const [partition, { low, high }] of ranges.entries())
      await readPartition(reader, { topic, partition, from: low, to: high, onRecords() { throw FOUND; } });
    return false;
  } catch (error) {
    if (error === FOUND) return true;
    throw error;
  } finally {
    await reader.close();
  }
}
