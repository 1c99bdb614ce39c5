import type { KeyRole } from './roles.js';

/** A key as the file keeps it: everything but the secret, which nobody keeps. Times are ms since 1970. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** SHA-256 of the whole key text, hex. */
  readonly hash: string;
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** The key that took its place. */
  readonly replacedBy: string | null;
}

export const KEY_ID_LENGTH = 12;
export const KEY_SECRET_LENGTH = 43;
export const KEY_NAME_LENGTH_MAX = 64;
export const KEYS_MAX = 1000;
/** A key that is dead for so long is dropped when the file is written: the audit log still knows it. */
export const DEAD_KEPT_MS = 90 * 86_400_000;

/** `tdm_`, the id by which it is looked up, and 256 random bits in base64url: characters that a header and a subprotocol may hold. */
const KEY_TEXT = /^tdm_([a-z2-7]{12})_[A-Za-z0-9_-]{43}$/;
const KEY_TEXT_LENGTH = 'tdm_'.length + KEY_ID_LENGTH + 1 + KEY_SECRET_LENGTH;

export const keyText = (id: string, secret: string): string => `tdm_${id}_${secret}`;

/** The id in a key's text; undefined where it is no key. */
export const idOfKey = (text: string): string | undefined => (text.length === KEY_TEXT_LENGTH ? KEY_TEXT.exec(text)?.[1] : undefined);

export type KeyState = 'active' | 'expired' | 'revoked';

export function stateOfKey({ revokedAt, expiresAt }: Pick<KeyRecord, 'revokedAt' | 'expiresAt'>, now: number): KeyState {
  if (revokedAt !== null && revokedAt <= now) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

/** Without the keys that have been dead for long. */
export function withoutLongDead(keys: readonly KeyRecord[], now: number): KeyRecord[] {
  return keys.filter(({ revokedAt, expiresAt }) => Math.min(revokedAt ?? Infinity, expiresAt ?? Infinity) > now - DEAD_KEPT_MS);
}

/** The one key that is meant by an id, the beginning of one, or a name; or why there is none. */
export function findKey(keys: readonly KeyRecord[], wanted: string, now: number): KeyRecord | string {
  const exact = keys.find(({ id }) => id === wanted);
  if (exact !== undefined) return exact;
  const matches = keys.filter((key) => key.id.startsWith(wanted) || (key.name === wanted && stateOfKey(key, now) === 'active'));
  if (matches.length === 1) return matches[0]!;
  return matches.length === 0 ? 'no key has this id or name' : `${matches.length} keys match: ${matches.map(({ id }) => id).join(', ')}`;
}

/** Revoked from now on; one that is revoked keeps its time. */
export function revoked(keys: readonly KeyRecord[], id: string, now: number): KeyRecord[] {
  return keys.map((key) => (key.id === id && key.revokedAt === null ? { ...key, revokedAt: now } : key));
}

/** A key's successor beside it; the old one lives on for the overlap, but never longer than it would have. */
export function rotated(keys: readonly KeyRecord[], old: KeyRecord, next: Pick<KeyRecord, 'id' | 'hash'>, overlapMs: number, now: number): KeyRecord[] {
  const lifetime = old.expiresAt === null ? null : old.expiresAt - old.createdAt;
  const successor: KeyRecord = {
    id: next.id, hash: next.hash, name: old.name, role: old.role, createdAt: now, expiresAt: lifetime === null ? null : now + lifetime, revokedAt: null, replacedBy: null,
  };
  const ending = { ...old, replacedBy: next.id, expiresAt: Math.min(old.expiresAt ?? Infinity, now + overlapMs) };
  return [...keys.map((key) => (key.id === old.id ? ending : key)), successor];
}
