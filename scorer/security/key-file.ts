import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';
import { KEY_NAME_LENGTH_MAX, KEYS_MAX, type KeyRecord, withoutLongDead } from './core/key.js';
import { KEY_ROLES } from './core/roles.js';

/** A name goes into logs, metrics and tables as it is. */
export const KEY_NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,${KEY_NAME_LENGTH_MAX - 1}}$`);

const time = z.iso.datetime().transform((text) => Date.parse(text));
const keySchema = z.strictObject({
  id: z.string().regex(/^[a-z2-7]{12}$/), name: z.string().regex(KEY_NAME), role: z.enum(KEY_ROLES), sha256: z.string().regex(/^[0-9a-f]{64}$/),
  created_at: time, expires_at: time.nullable(), revoked_at: time.nullable(), replaced_by: z.string().nullable(),
});
const fileSchema = z.strictObject({ version: z.literal(1), keys: z.array(keySchema).max(KEYS_MAX) });

export const keysFile = (settings: Pick<Settings, 'SCORER_KEYS_FILE' | 'DATA_DIR'>): string => settings.SCORER_KEYS_FILE ?? join(settings.DATA_DIR, 'keys.json');

/**
 * The keys of a file; undefined where there is none.
 * @throws TidemarkError CONFIG_INVALID when it cannot be read, is damaged, or others may write it
 */
export async function readKeyFile(file: string): Promise<KeyRecord[] | undefined> {
  let text: string;
  try {
    // Whoever may write the file may give himself a key.
    if (((await stat(file)).mode & 0o022) !== 0) throw new TidemarkError('CONFIG_INVALID', `${file}: others may write the file of the keys; chmod 600 it, after a look at what is in it`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('CONFIG_INVALID', `${file}: the file of the keys cannot be read (${messageOf(error)})`, { cause: error });
  }
  try {
    return fileSchema.parse(JSON.parse(text)).keys.map((key) => ({
      id: key.id, name: key.name, role: key.role, hash: key.sha256,
      createdAt: key.created_at, expiresAt: key.expires_at, revokedAt: key.revoked_at, replacedBy: key.replaced_by,
    }));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? cause.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 3).join('; ') : messageOf(cause);
    throw new TidemarkError('CONFIG_INVALID', `${file}: this is not a file of keys as tidemark keys writes it (${why}); restore it from a copy, or remove it and create keys anew`, { cause });
  }
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const textOf = (keys: readonly KeyRecord[]): string => `${JSON.stringify({
  version: 1,
  keys: keys.map(({ id, name, role, hash, createdAt, expiresAt, revokedAt, replacedBy }) => ({
    id, name, role, sha256: hash, created_at: iso(createdAt), expires_at: iso(expiresAt), revoked_at: iso(revokedAt), replaced_by: replacedBy,
  })),
}, undefined, 2)}\n`;

/**
 * Changes the file: read, changed and put in place whole, one process at a time. Its mode is 0600, whatever it was.
 * @throws TidemarkError CONFIG_INVALID, INPUT_INVALID beyond KEYS_MAX
 */
export async function changeKeyFile(file: string, now: number, change: (keys: readonly KeyRecord[]) => readonly KeyRecord[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const unlock = await lock(`${file}.lock`);
  try {
    const keys = change(withoutLongDead((await readKeyFile(file)) ?? [], now));
    if (keys.length > KEYS_MAX) throw new TidemarkError('INPUT_INVALID', `${file} would hold ${keys.length} keys, at most ${KEYS_MAX} are kept: revoke some; keys that have been dead for 90 days make room`);
    const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
    try {
      const handle = await open(fresh, 'wx', 0o600);
      try {
        await handle.writeFile(textOf(keys));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await chmod(fresh, 0o600);
      await rename(fresh, file);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
    const folder = await open(dirname(file), 'r');
    await folder.sync().finally(() => folder.close());
  } finally {
    await unlock();
  }
}

const LOCK_WAIT_MS = 5000;
const LOCK_STALE_MS = 30_000;

/** One writer at a time; a lock that a killed process left is taken over once it is older than any change takes. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (const end = Date.now() + LOCK_WAIT_MS; ; await sleep(20)) {
    try {
      await (await open(file, 'wx', 0o600)).close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const age = await stat(file).then(({ mtimeMs }) => Date.now() - mtimeMs, () => 0);
    if (age > LOCK_STALE_MS) await rm(file, { force: true });
    else if (Date.now() > end) throw new TidemarkError('CONFIG_INVALID', `${file} is there: another tidemark keys is changing the file; if none runs, remove it`);
  }
}
