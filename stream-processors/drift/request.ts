import { createClickHouse, onClickHouse } from '../../runtime/clickhouse.js';
import { TidemarkError } from '../../runtime/errors.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Log } from '../../runtime/log.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import { TOPICS } from '../../schemas/topics.js';
import { landedRange } from './aggregates.js';
import { eventOf, retrainCodec } from './decisions.js';
import { HOUR_MS } from './policy.js';
import { championOf, gainOf } from './champion.js';

export interface RetrainRequest {
  /** For people: it stands in the event and in the model's card. */
  readonly why: string;
  readonly by: string;
  /** The same key asked again is the same retraining; undefined: each request is one of its own. */
  readonly key?: string;
}

const WHY_CHARACTERS_MAX = 2000;

/**
 * Asks for a retraining: one record on retrain-events.
 * @throws TidemarkError INPUT_INVALID, CLICKHOUSE_*, BROKER_UNREACHABLE, REGISTRY_UNREACHABLE
 */
export async function requestRetraining(settings: Settings, log: Log, { why, by, key }: RetrainRequest, now: () => number = Date.now): Promise<RetrainEvent> {
  if (why.trim() === '' || why.length > WHY_CHARACTERS_MAX) throw new TidemarkError('INPUT_INVALID', `why: got ${why.length} characters, expected 1 to ${WHY_CHARACTERS_MAX}: say what the new model is for`);
  const model = settings.MODEL_NAME;
  const client = createClickHouse(settings);
  const [landed, champion, expected_gain] = await onClickHouse(settings, 'retrain', async () => {
    const now = await championOf(client, model);
    return [await landedRange(client), now, await gainOf(client, settings, now)] as const;
  }).finally(() => client.close());
  const at = now();
  // Without predictions the clock is the only time there is.
  const to = landed?.to ?? at;
  const event = eventOf({
    reason: 'manual', decision: 'retrain', model, model_version: champion?.version ?? '', window_from: Math.min(champion?.data_to ?? landed?.from ?? to, to), window_to: to,
    evidence: [], explanation: why.trim(), expected_gain, dedupe_key: `manual/${model}/${key ?? `${new Date(at).toISOString()}/${by}`}`,
    cooldown_until: to + settings.DRIFT_COOLDOWN_H * HOUR_MS, requested_by: by,
  }, at);
  const kafka = createKafka(settings, log);
  await ensureTopics(kafka, settings, [TOPICS.retrain]);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  try {
    await producer.send({ topic: TOPICS.retrain.name, acks: -1, messages: [{ key: model, partition: 0, value: await retrainCodec(createRegistry(settings, log)).encode(event) }] });
  } finally {
    await producer.disconnect();
  }
  return event;
}
