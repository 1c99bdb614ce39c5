import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { ManifestCodec, ModelVersion } from '../../runtime/models/assemble.js';
import { followLedger, readLedger, type LedgerCodec } from '../../runtime/models/ledger.js';
import { followModels, readModels } from '../../runtime/models/read.js';
import { createModelSelection, type SelectionOptions } from './selection.js';

export interface ModelSourceOptions extends Omit<SelectionOptions, 'fetch'> {
  readonly kafka: Kafka;
  readonly codec: ManifestCodec;
  readonly ledger: LedgerCodec;
}

/**
 * Reads ledger and models as they stand, puts into service what follows from them and follows both topics. The ledger is
 * read first: the versions that it names stand on `models` by then, as a version and its first entry are one transaction.
 */
export async function startModelSource(options: ModelSourceOptions): Promise<Stoppable> {
  const { kafka, codec, log, ledger, model } = options;
  const about = { kafka, codec: ledger, log, model };
  const selection = createModelSelection({
    ...options,
    async fetch(version) {
      let found: ModelVersion | undefined;
      await readModels({ kafka, codec, log, onModel: (candidate) => { if (candidate.manifest.model === model && candidate.manifest.version === version) found = candidate; } });
      return found;
    },
  });
  const { entries, next } = await readLedger(about);
  selection.ledger(entries);
  const from = await readModels({ kafka, codec, log, onModel: (version) => selection.take(version) });
  await selection.apply();

  /** The two followers take turns: each change is applied on what both have read. */
  let applying: Promise<void> = Promise.resolve();
  const apply = (): Promise<void> => {
    const applied = applying.then(() => selection.apply());
    applying = applied.catch((error: unknown) => log.error('models_not_applied', error));
    return applied;
  };
  const followers = [
    followModels({ kafka, codec, log, from, onModel: (version) => { selection.take(version); return apply(); } }),
    followLedger({ ...about, from: next, onEntries: (more) => { selection.ledger(more); return apply(); }, onRestart: () => selection.forgetLedger() }),
  ];
  return {
    async stop() {
      await Promise.all(followers.map((follower) => follower.stop()));
      await applying;
    },
  };
}
