import { timingSafeEqual } from 'node:crypto';
import type { Log } from '../../runtime/log.js';
import { idOfKey, type KeyRecord, stateOfKey } from './core/key.js';
import { readKeyFile } from './key-file.js';
import { digestOf } from './new-key.js';
import { watchFiles } from './watch-files.js';

export interface KeyStore {
  /** Whether keys are asked for: from the moment that there is a file of them, until the process ends. */
  readonly on: boolean;
  /** The key that a text is, while it may be used. */
  verify(text: string): KeyRecord | undefined;
  /** Whether the key of an id may still be used: what was opened with it lives no longer. */
  holds(id: string): boolean;
  stop(): Promise<void>;
}

/** What an unknown id is compared with, so that it takes as long as a known one. */
const NOBODY = Buffer.alloc(32);

/**
 * The keys of a file, read again when it changes. A file that is damaged later leaves the keys as they were, aloud; one that
 * vanishes leaves none: the door that was locked stays locked.
 * @throws TidemarkError CONFIG_INVALID when the file is there and cannot be used
 */
export async function openKeyStore(file: string, log: Log, options: { clock?: () => number; lookMs?: number } = {}): Promise<KeyStore> {
  const clock = options.clock ?? Date.now;
  let on = false;
  let keys = new Map<string, { readonly record: KeyRecord; readonly digest: Buffer }>();

  const load = async (): Promise<void> => {
    const records = await readKeyFile(file);
    if (records === undefined && !on) return;
    on = true;
    keys = new Map((records ?? []).map((record) => [record.id, { record, digest: Buffer.from(record.hash, 'hex') }]));
    const now = clock();
    log[records === undefined ? 'warn' : 'info']('keys_loaded', { file, keys: keys.size, active: [...keys.values()].filter(({ record }) => stateOfKey(record, now) === 'active').length, present: records !== undefined });
  };
  // The look that the watch begins with comes before the reading: what changes in between is a change.
  const watch = await watchFiles([file], () => load().catch((error: unknown) => log.error('keys_not_reloaded', error, { keys: keys.size })), options.lookMs);
  try {
    await load();
  } catch (error) {
    await watch.stop();
    throw error;
  }

  return {
    get on() { return on; },
    verify(text) {
      const id = idOfKey(text);
      const known = id === undefined ? undefined : keys.get(id);
      const same = timingSafeEqual(digestOf(text), known?.digest ?? NOBODY);
      return known !== undefined && same && stateOfKey(known.record, clock()) === 'active' ? known.record : undefined;
    },
    holds(id) {
      const known = keys.get(id);
      return known !== undefined && stateOfKey(known.record, clock()) === 'active';
    },
    stop: watch.stop,
  };
}
