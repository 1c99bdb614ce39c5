import { committedOffsets } from '../../runtime/kafka/committed-offsets.js';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import { LANDING_GROUP } from '../../schemas/groups.js';
import { TOPICS } from '../../schemas/topics.js';

/** How many of the events that there were when a window was first asked about have not landed yet. */
export type EventsBehind = (windowTo: number) => Promise<number>;

/**
 * Predictions may land before the events that they are made of, which triage compares with former weeks: what has not landed
 * yet would look like a dead producer. The events of a window are in the topic once its predictions are in the table.
 */
export function watchEvents(kafka: Kafka): EventsBehind {
  const { name } = TOPICS.events;
  let asked = NaN;
  let ranges: Awaited<ReturnType<typeof offsetRanges>> = [];
  return async (windowTo) => {
    if (windowTo !== asked) [ranges, asked] = [await offsetRanges(kafka, name), windowTo];
    const landed = await committedOffsets(kafka, LANDING_GROUP, name);
    return ranges.reduce((behind, { low, high }, partition) => behind + Math.max(0, high - Math.max(low, landed.get(partition) ?? 0)), 0);
  };
}
