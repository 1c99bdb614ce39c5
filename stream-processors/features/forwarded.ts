import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { TOPICS } from '../../schemas/topics.js';

/**
 * A group that nobody joins: its position on a partition says before which offset every record that stands on the wrong
 * partition was forwarded by an earlier computation of the features. It outlives the changelog, which a rebuild deletes.
 */
export const FORWARDED_GROUP = 'tidemark-features-forwarded';

/** The offset before which nothing is forwarded any more, by partition of customer-events; 0 where it was never said. */
export async function forwardedBefore(kafka: Kafka): Promise<Map<number, number>> {
  const topic = TOPICS.events.name;
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId: FORWARDED_GROUP, topics: [topic] });
    return new Map(partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
  } catch (error) {
    throw new TidemarkError('BROKER_UNREACHABLE', `position of ${FORWARDED_GROUP} on ${topic}: ${messageOf(error)}`, { cause: error });
  } finally {
    await admin.disconnect();
  }
}
