import { TidemarkError } from '../../runtime/errors.js';
import type { Settings } from '../../runtime/settings.js';
import { findKey, type KeyRecord, revoked, rotated, stateOfKey } from '../../scorer/security/core/key.js';
import type { KeyRole } from '../../scorer/security/core/roles.js';
import { changeKeyFile, KEY_NAME, keysFile, readKeyFile } from '../../scorer/security/key-file.js';
import { newKey } from '../../scorer/security/new-key.js';
import { recordCommand } from '../audit.js';

type Write = (text: string) => void;

/** Makes a key and shows it once. Its text goes to `write` alone, what there is to say about it to `tell`. */
export async function createKey(settings: Settings, wanted: { name: string; role: KeyRole; lifetimeMs: number | null }, write: Write, tell: Write): Promise<void> {
  const { name, role, lifetimeMs } = wanted;
  if (!KEY_NAME.test(name)) throw new TidemarkError('INPUT_INVALID', `key name: got ${JSON.stringify(name)}, expected 1 to 64 letters, digits, spaces and . _ @ -, a letter or digit first`);
  const file = keysFile(settings);
  const now = Date.now();
  const { id, text, hash } = newKey();
  const expiresAt = lifetimeMs === null ? null : now + lifetimeMs;
  const first = (await readKeyFile(file)) === undefined;
  await changeKeyFile(file, now, (keys) => [...keys, { id, name, role, hash, createdAt: now, expiresAt, revokedAt: null, replacedBy: null }]);
  tell(`key ${id} (${name}, ${role}, ${untilText(expiresAt)}) in ${file}. Its text is shown this once:\n`);
  write(`${text}\n`);
  if (first) tell('It is the first: from now on the scorer answers nobody without a key.\n');
  await recordCommand(settings, tell, { action: 'keys.create', target: id, detail: { name, role, expires_at: expiresAt } });
}

export async function listKeys(settings: Settings, json: boolean, write: Write): Promise<void> {
  const file = keysFile(settings);
  const keys = await readKeyFile(file);
  const now = Date.now();
  const rows = (keys ?? []).map((key) => ({ ...key, state: stateOfKey(key, now) }));
  if (json) {
    for (const { hash: _hash, ...row } of rows) write(`${JSON.stringify(row)}\n`);
    return;
  }
  if (keys === undefined) return write(`no keys: ${file} is not there, the scorer asks for none\n`);
  const table = [['id', 'name', 'role', 'state', 'created', 'expires', 'replaced by'],
    ...rows.map(({ id, name, role, state, createdAt, expiresAt, replacedBy }) => [id, name, role, state, dayOf(createdAt), dayOf(expiresAt), replacedBy ?? ''])];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  write(table.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n') + '\n');
}

/** From now on the key is refused; running scorers know it within two seconds. */
export async function revokeKey(settings: Settings, wanted: string, write: Write, tell: Write): Promise<void> {
  const now = Date.now();
  let found: KeyRecord | undefined;
  await changeKeyFile(keysFile(settings), now, (keys) => {
    found = keyNamed(keys, wanted, now);
    return revoked(keys, found.id, now);
  });
  const { id, name, revokedAt } = found!;
  write(revokedAt === null ? `revoked: ${id} (${name}); running scorers refuse it within two seconds\n` : `${id} (${name}) was revoked ${new Date(revokedAt).toISOString()}\n`);
  await recordCommand(settings, tell, { action: 'keys.revoke', target: id, detail: { name } });
}

/** A successor of the same name, role and lifetime; the old key goes on for the overlap. */
export async function rotateKey(settings: Settings, wanted: string, overlapMs: number, write: Write, tell: Write): Promise<void> {
  const now = Date.now();
  const next = newKey();
  let old: KeyRecord | undefined;
  await changeKeyFile(keysFile(settings), now, (keys) => {
    old = keyNamed(keys, wanted, now);
    const state = stateOfKey(old, now);
    if (state !== 'active') throw new TidemarkError('INPUT_INVALID', `key ${old.id} is ${state}: create a new one`);
    return rotated(keys, old, next, overlapMs, now);
  });
  tell(`key ${next.id} takes the place of ${old!.id} (${old!.name}), which goes on until ${new Date(Math.min(now + overlapMs, old!.expiresAt ?? Infinity)).toISOString()}. Its text is shown this once:\n`);
  write(`${next.text}\n`);
  await recordCommand(settings, tell, { action: 'keys.rotate', target: old!.id, detail: { name: old!.name, replaced_by: next.id, overlap_s: overlapMs / 1000 } });
}

function keyNamed(keys: readonly KeyRecord[], wanted: string, now: number): KeyRecord {
  const found = findKey(keys, wanted, now);
  if (typeof found === 'string') throw new TidemarkError('NOT_FOUND', `${JSON.stringify(wanted)}: ${found}; tidemark keys list shows them`);
  return found;
}

const untilText = (expiresAt: number | null): string => (expiresAt === null ? 'never expires' : `until ${new Date(expiresAt).toISOString()}`);
const dayOf = (ms: number | null): string => (ms === null ? 'never' : new Date(ms).toISOString().slice(0, 16).replace('T', ' '));
