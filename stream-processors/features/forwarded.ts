import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { committedOffsets } from '../../runtime/kafka/committed-offsets.js';
import { TOPICS } from '../../schemas/topics.js';

/**
 * A group that nobody joins: its position on a partition says before which offset every record that stands on the wrong
 * partition was forwarded by an earlier computation of the features. It outlives the changelog, which a rebuild deletes.
 */
export const FORWARDED_GROUP = 'tidemark-features-forwarded';

/** The offset before which nothing is forwarded any more, by partition of customer-events; 0 where it was never said. */
export const forwardedBefore = (kafka: Kafka): Promise<Map<number, number>> => committedOffsets(kafka, FORWARDED_GROUP, TOPICS.events.name);
