import type { Kafka } from 'kafkajs';
import { messageOf, TidemarkError } from '../errors.js';

/**
 * Where a group stands on each partition of a topic, 0 where it never said.
 * @throws TidemarkError BROKER_UNREACHABLE
 */
export async function committedOffsets(kafka: Kafka, groupId: string, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map(partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
  } catch (error) {
    throw new TidemarkError('BROKER_UNREACHABLE', `position of ${groupId} on ${topic}: ${messageOf(error)}`, { cause: error });
  } finally {
    await admin.disconnect();
  }
}
