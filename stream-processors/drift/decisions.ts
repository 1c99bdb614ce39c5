import { createHash } from 'node:crypto';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { readTopic } from '../../runtime/kafka/read-partition.js';
import type { Log } from '../../runtime/log.js';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import { createRecordCodec, type RecordCodec } from '../../runtime/registry/record-codec.js';
import type { Registry } from '../../runtime/registry/registry.js';
import { RETRAIN_EVENT_AVRO, type RetrainEvent } from '../../schemas/events/retrain-event.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import type { KafkaRecord } from '../../runtime/kafka/records.js';
import type { EventDraft } from './core/draft.js';

export const retrainCodec = (registry: Registry): RecordCodec<RetrainEvent> => createRecordCodec<RetrainEvent>(registry, subjectOf(TOPICS.retrain.name), RETRAIN_EVENT_AVRO);

/** The same decision has the same id, whoever writes it and how often. */
export const eventIdOf = (dedupeKey: string): string => createHash('sha256').update(dedupeKey).digest('hex').slice(0, 32);

export const eventOf = (draft: EventDraft, decidedAt: number): RetrainEvent => ({ ...draft, event_id: eventIdOf(draft.dedupe_key), decided_at: decidedAt });

/** What has been decided about one model, as the topic says it. */
export interface Decisions {
  /** Reads the whole topic; what was known is forgotten. */
  load(kafka: Kafka): Promise<void>;
  take(records: readonly KafkaRecord[]): Promise<void>;
  /** One that this process has just written. */
  add(event: RetrainEvent): void;
  has(dedupeKey: string): boolean;
  /** Event time until which a retraining that was asked for keeps drift from asking again, whoever asked; 0 for none. */
  cooldownUntil(): number;
  /** The last of a reason, undefined where there was none. */
  last(reason: RetrainEvent['reason']): RetrainEvent | undefined;
}

export function createDecisions(model: string, codec: RecordCodec<RetrainEvent>, log: Log): Decisions {
  let byKey = new Map<string, RetrainEvent>();
  const add = (event: RetrainEvent): void => { if (event.model === model && !byKey.has(event.dedupe_key)) byKey.set(event.dedupe_key, event); };
  async function take(records: readonly KafkaRecord[]): Promise<void> {
    for (const { value, offset } of records) {
      if (value === null) continue;
      try {
        add(await codec.decode(value));
      } catch (error) {
        if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
        log.warn('record_unreadable', { topic: TOPICS.retrain.name, offset, message: messageOf(error) });
      }
    }
  }
  return {
    take, add,
    async load(kafka) {
      byKey = new Map();
      await readTopic(kafka, TOPICS.retrain.name, (_partition, records) => take(records));
    },
    has: (dedupeKey) => byKey.has(dedupeKey),
    cooldownUntil: () => Math.max(0, ...[...byKey.values()].filter(({ decision }) => decision === 'retrain').map(({ cooldown_until }) => cooldown_until)),
    last: (reason) => [...byKey.values()].filter((event) => event.reason === reason).sort((a, b) => b.decided_at - a.decided_at)[0],
  };
}
