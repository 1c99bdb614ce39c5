import { hash as hashOnce, randomBytes } from 'node:crypto';
import { KEY_ID_LENGTH, keyText } from './core/key.js';

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

/** What the file keeps of a key. The key has 256 random bits, so that a plain hash gives nothing away: see docs/decisions/api-keys.md. */
export const digestOf = (text: string): Buffer => hashOnce('sha256', text, 'buffer');

export interface NewKey {
  readonly id: string;
  /** Shown once; only its hash is kept. */
  readonly text: string;
  readonly hash: string;
}

/** A key that nobody can guess. */
export function newKey(): NewKey {
  const id = [...randomBytes(KEY_ID_LENGTH)].map((byte) => ID_LETTERS[byte % 32]).join('');
  const text = keyText(id, randomBytes(32).toString('base64url'));
  return { id, text, hash: digestOf(text).toString('hex') };
}
