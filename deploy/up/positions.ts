import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from '../../runtime/kafka/kafkajs.js';
import { committedOf } from '../../runtime/kafka/committed-offsets.js';
import { openPartitionReader, type PartitionReader } from '../../runtime/kafka/cluster.js';

const POLL_MS = 200;

/** How far consumer groups have come, and waiting until they have come far enough. */
export interface Positions {
  /** Offset after the last record of each partition now. */
  ends(topic: string): Promise<number[]>;
  /**
   * Waits until a group has taken every record of a topic before `ends`. `behind` is told how many offsets are left.
   * @returns false when `stopped` says so first
   */
  reached(group: string, topic: string, ends: readonly number[], stopped: () => boolean, behind?: (offsets: number) => void): Promise<boolean>;
  /** Sets where an idle group begins. */
  set(group: string, topic: string, offsets: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

export async function openPositions(kafka: Kafka): Promise<Positions> {
  const admin = kafka.admin();
  await admin.connect();
  const reader = await openPartitionReader(kafka, 1024);
  return {
    ends: (topic) => endsOf(admin, topic),
    async reached(group, topic, ends, stopped, behind) {
      while (!stopped()) {
        const committed = await committedOf(admin, group, topic);
        let left = 0;
        for (const [partition, end] of ends.entries()) left += await missing(reader, topic, partition, committed.get(partition) ?? 0, end);
        if (left === 0) return true;
        behind?.(left);
        await sleep(POLL_MS);
      }
      return false;
    },
    set: (group, topic, offsets) => admin.setOffsets({ groupId: group, topic, partitions: offsets.map((offset, partition) => ({ partition, offset: String(offset) })) }),
    async close() {
      await Promise.allSettled([reader.close(), admin.disconnect()]);
    },
  };
}

async function endsOf(admin: Admin, topic: string): Promise<number[]> {
  const ends: number[] = [];
  for (const { partition, high } of await admin.fetchTopicOffsets(topic)) ends[partition] = Number(high);
  return ends;
}

/** Offsets left to take; what is left may be markers of transactions, which no consumer ever sees, so the last few are looked at. */
async function missing(reader: PartitionReader, topic: string, partition: number, from: number, end: number): Promise<number> {
  const left = end - from;
  if (left <= 0) return 0;
  if (left > 100) return left;
  let position = from;
  while (position < end) {
    const batch = await reader.fetch(topic, partition, position, 0);
    if (batch.records.some((record) => record.offset < end) || batch.nextOffset <= position) return left;
    position = batch.nextOffset;
  }
  return 0;
}
