import type { Admin, Kafka } from 'kafkajs';
import { messageOf, TidemarkError } from '../errors.js';

/**
 * Where a group stands on each partition of a topic, 0 where it never said.
 * @throws TidemarkError BROKER_UNREACHABLE
 */
export async function committedOffsets(kafka: Kafka, groupId: string, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await committedOf(admin, groupId, topic);
  } catch (error) {
    throw new TidemarkError('BROKER_UNREACHABLE', `position of ${groupId} on ${topic}: ${messageOf(error)}`, { cause: error });
  } finally {
    await admin.disconnect();
  }
}

/** The same, through a connection that is there. */
export async function committedOf(admin: Admin, groupId: string, topic: string): Promise<Map<number, number>> {
  const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return new Map(partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
}
