import { TOPICS } from '../../schemas/topics.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Log } from '../../runtime/log.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import type { DeciderOptions } from '../../runtime/models/decide.js';
import { createLedgerCodec } from '../../runtime/models/ledger.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';

/** What it takes to decide about a model's versions; the topics are made where they are missing. */
export async function connectDecider(settings: Settings, log: Log): Promise<DeciderOptions> {
  const kafka = createKafka(settings, log, 'transactional');
  await ensureTopics(kafka, settings, [TOPICS.models, TOPICS.ledger]);
  const registry = createRegistry(settings, log);
  return { kafka, log, manifests: createManifestCodec(registry), ledger: createLedgerCodec(registry) };
}
