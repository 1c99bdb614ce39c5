import { RETRAIN_EVENT_AVRO, type RetrainEvent } from '../../schemas/events/retrain-event.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import { followPartition } from '../../runtime/kafka/follow-partition.js';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { createRecordCodec } from '../../runtime/registry/record-codec.js';
import type { Registry } from '../../runtime/registry/registry.js';

export interface RetrainEventsOptions {
  readonly kafka: Kafka;
  readonly registry: Registry;
  readonly log: Log;
  onEvent(event: RetrainEvent): void;
  /** The topic was made anew: what was given before is void. */
  onRestart(): void;
}

/**
 * Hands over every retrain event from the beginning of the topic on, in its order: which of them are answered stands in the
 * ledger, so no position of a group has to be kept. A record that is none is logged and passed over.
 */
export async function followRetrainEvents({ kafka, registry, log, onEvent, onRestart }: RetrainEventsOptions): Promise<Stoppable> {
  const topic = TOPICS.retrain.name;
  const codec = createRecordCodec<RetrainEvent>(registry, subjectOf(topic), RETRAIN_EVENT_AVRO);
  const [range] = await offsetRanges(kafka, topic);
  return followPartition({
    kafka, log, topic, partition: 0, from: range?.low ?? 0, onRestart,
    onRecords: async (records) => {
      const events: RetrainEvent[] = [];
      for (const { value, offset } of records) {
        try {
          if (value === null) throw new TidemarkError('RECORD_UNDECODABLE', 'no value');
          events.push(await codec.decode(value));
        } catch (error) {
          if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
          log.warn('record_unreadable', { topic, offset, message: messageOf(error) });
        }
      }
      for (const event of events) onEvent(event);
    },
  });
}
