import type { Kafka } from 'kafkajs';
import { TidemarkError } from '../errors.js';
import { openCoordinator } from './cluster.js';

/** Where a group goes on, partition by partition. */
export interface StartOffsets {
  /**
   * The committed offset, or the first one there is where the group never committed. A transaction of a former owner that is
   * not yet decided is waited for.
   * @throws TidemarkError OFFSET_EXPIRED when retention has deleted what the group has not read
   */
  of(partition: number): Promise<number>;
  close(): Promise<void>;
}

export async function createStartOffsets(kafka: Kafka, groupId: string, topic: string): Promise<StartOffsets> {
  const admin = kafka.admin();
  await admin.connect();
  const coordinator = await openCoordinator(kafka, groupId);
  return {
    async of(partition) {
      const committed = await coordinator.stableOffset(topic, partition);
      const range = (await admin.fetchTopicOffsets(topic)).find((entry) => entry.partition === partition);
      if (range === undefined) throw new TidemarkError('TOPIC_MISMATCH', `topic ${topic} has no partition ${partition}`);
      if (committed < 0) return Number(range.low);
      if (committed < Number(range.low))
        throw new TidemarkError('OFFSET_EXPIRED',
          `group ${groupId} stands at offset ${committed} of ${topic}-${partition}, the first record there is ${range.low}: retention deleted ` +
          `${Number(range.low) - committed} unprocessed records. To accept the loss: kafka-consumer-groups --group ${groupId} --topic ${topic}:${partition} --reset-offsets --to-earliest --execute, or tidemark reset: docs/error-codes.md#offset_expired`);
      if (committed > Number(range.high))
        throw new TidemarkError('OFFSET_EXPIRED',
          `group ${groupId} stands at offset ${committed} of ${topic}-${partition}, beyond its end ${range.high}: the topic was deleted and made anew. ` +
          `Reset with kafka-consumer-groups --group ${groupId} --topic ${topic}:${partition} --reset-offsets --to-earliest --execute, and remove the state built from the old topic, or tidemark reset: docs/error-codes.md#offset_expired`);
      return committed;
    },
    close: async () => { await Promise.all([admin.disconnect(), coordinator.close()]); },
  };
}
