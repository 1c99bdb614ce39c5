import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerEntry } from '../../schemas/events/ledger-entry.js';
import type { ModelManifest } from '../../schemas/events/model.js';
import { messageOf, TidemarkError } from '../errors.js';
import type { Kafka } from '../kafka/kafkajs.js';
import type { Log } from '../log.js';
import type { ManifestCodec } from './assemble.js';
import { appendLedger, readLedger, type LedgerCodec } from './ledger.js';
import { modelProducer, sendVersion } from './publish.js';

/** What one decision writes: entries, and the version that they are about where it is a new one. */
export interface Decision {
  readonly version?: { readonly manifest: ModelManifest; readonly onnx: Uint8Array };
  /** Of this model, at least one. */
  readonly entries: readonly LedgerEntry[];
}

export interface DeciderOptions {
  /** With the transactional profile. */
  readonly kafka: Kafka;
  readonly manifests: ManifestCodec;
  readonly ledger: LedgerCodec;
  readonly log: Log;
}

const ATTEMPTS = 8;
const PAUSE_MS_MAX = 2000;

/**
 * Decides about a model's versions on the ledger as it stands, with nobody deciding in between: the producer is opened
 * first, which fences all others that decide about the model; then the ledger is read to its end and `make` called; then
 * the version and the entries are written in one transaction, which fails where somebody opened the producer meanwhile, and
 * all is done again on the newer ledger.
 * @param make may be called several times; undefined: nothing is to be written any more
 * @returns what was written
 * @throws TidemarkError TRANSACTION_FAILED, and what `make` throws
 */
export async function decide<T extends Decision>(
  { kafka, manifests, ledger, log }: DeciderOptions, model: string, make: (entries: readonly LedgerEntry[]) => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    const producer = modelProducer(kafka, model);
    try {
      await producer.connect();
      const transaction = await producer.transaction();
      try {
        const { entries } = await readLedger({ kafka, codec: ledger, log });
        const decision = await make(entries.filter((entry) => entry.model === model));
        if (decision === undefined) {
          await transaction.abort();
          return undefined;
        }
        if (decision.version !== undefined) await sendVersion(transaction, manifests, decision.version.manifest, decision.version.onnx);
        await appendLedger(transaction, ledger, decision.entries);
        await transaction.commit();
        return decision;
      } catch (error) {
        if (transaction.isActive()) await transaction.abort().catch(() => undefined);
        throw error;
      }
    } catch (error) {
      // An own error of what was decided is no failure of the transaction. A commit whose end is unknown is known after opening anew: the ledger says.
      if (error instanceof TidemarkError) throw error;
      if (attempt === ATTEMPTS) throw new TidemarkError('TRANSACTION_FAILED', `decision about model ${model}: ${messageOf(error)}; nothing is known to be written, run it again`, { cause: error });
      const pause_ms = Math.min(PAUSE_MS_MAX, 20 * 2 ** attempt);
      log.warn('decision_repeated', { model, attempt, message: messageOf(error), pause_ms });
      await sleep(pause_ms);
    } finally {
      await producer.disconnect().catch(() => undefined);
    }
  }
}

/**
 * Ends what a killed decider left open. Until then nobody can read beyond it on `models` and `models.ledger`; without this
 * the broker ends it after the transaction's timeout.
 * @throws TidemarkError TRANSACTION_FAILED
 */
export async function endOpenDecision(options: DeciderOptions, model: string): Promise<void> {
  await decide(options, model, () => undefined);
}
