import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Log } from '../../runtime/log.js';
import type { ModelVersion } from '../../runtime/models/assemble.js';
import { createManifestCodec } from '../../runtime/models/codec.js';
import type { DeciderOptions } from '../../runtime/models/decide.js';
import { createLedgerCodec, readLedger } from '../../runtime/models/ledger.js';
import { readModels } from '../../runtime/models/read.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { TOPICS } from '../../schemas/topics.js';

/** A model's versions and ledger as they stand, read from Kafka: the command needs neither ClickHouse nor a running scorer. */
export interface ModelRegistry {
  readonly model: string;
  /** In the order of the topic; of a version its latest. */
  readonly manifests: readonly ModelManifest[];
  readonly entries: readonly LedgerEntry[];
  readonly decider: DeciderOptions;
}

export async function openModels(settings: Settings, log: Log): Promise<ModelRegistry> {
  const kafka = createKafka(settings, log);
  await ensureTopics(kafka, settings, [TOPICS.models, TOPICS.ledger]);
  const registry = createRegistry(settings, log);
  const [manifests, ledger] = [createManifestCodec(registry), createLedgerCodec(registry)];
  const model = settings.MODEL_NAME;
  const { entries } = await readLedger({ kafka, codec: ledger, log, model });
  const found = new Map<string, ModelManifest>();
  await readModels({
    kafka, codec: manifests, log,
    onModel({ manifest }: ModelVersion) {
      if (manifest.model !== model) return;
      found.delete(manifest.version);
      found.set(manifest.version, manifest);
    },
  });
  return { model, entries, manifests: [...found.values()], decider: { kafka: createKafka(settings, log, 'transactional'), manifests, ledger, log } };
}
