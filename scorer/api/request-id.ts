import { randomBytes } from 'node:crypto';

/** What a client may call its request: it goes back into a header and into logs as it came. */
const SANE = /^[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}$/;

/** Makes ids that no other process makes: a random beginning, then a count. */
export function requestIds(): (given: string) => string {
  const prefix = randomBytes(9).toString('base64url').replace(/^[-_]/, 'r');
  let count = 0;
  return (given) => (given !== '' && SANE.test(given) ? given : `${prefix}-${(++count).toString(36)}`);
}
