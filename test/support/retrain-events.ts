import { createHash } from 'node:crypto';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { createRecordCodec } from '../../runtime/registry/record-codec.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { RETRAIN_EVENT_AVRO, type RetrainEvent } from '../../schemas/events/retrain-event.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { testLog } from './cluster.js';

/** An event as the drift service writes them; its id follows from the key. */
export const retrainEvent = (dedupe_key: string, changes: Partial<RetrainEvent> = {}): RetrainEvent => ({
  event_id: createHash('sha256').update(dedupe_key).digest('hex').slice(0, 32), decided_at: Date.UTC(2026, 0, 1), reason: 'drift', decision: 'retrain', model: 'churn', model_version: '',
  window_from: Date.UTC(2025, 11, 1), window_to: Date.UTC(2025, 11, 8), evidence: [], explanation: `asked for ${dedupe_key}`, expected_gain: null, dedupe_key,
  cooldown_until: 0, requested_by: 'test', ...changes,
});

/** Writes retrain events as producers of the system do. */
export function retrainEventWriter(settings: Settings, kafka: Kafka): (...events: RetrainEvent[]) => Promise<void> {
  const codec = createRecordCodec<RetrainEvent>(createRegistry(settings, testLog), subjectOf(TOPICS.retrain.name), RETRAIN_EVENT_AVRO);
  return async (...events) => {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    try {
      for (const event of events) await producer.send({ topic: TOPICS.retrain.name, acks: -1, messages: [{ key: event.model, value: await codec.encode(event), partition: 0 }] });
    } finally {
      await producer.disconnect();
    }
  };
}
