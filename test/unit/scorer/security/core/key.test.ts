import t from 'tap';
import { DEAD_KEPT_MS, findKey, idOfKey, type KeyRecord, keyText, revoked, rotated, stateOfKey, withoutLongDead } from '../../../../../scorer/security/core/key.js';
import { chosenProtocol, presentedKey } from '../../../../../scorer/security/core/presented.js';
import { KEY_ROLES, mayUse, ROLES } from '../../../../../scorer/security/core/roles.js';

const key = (id: string, changes: Partial<KeyRecord> = {}): KeyRecord =>
  ({ id: id.padEnd(12, 'a'), name: id, role: 'reader', hash: '00', createdAt: 1000, expiresAt: null, revokedAt: null, replacedBy: null, ...changes });

t.test('the text of a key', async (t) => {
  const text = keyText('abcdefgh2345', 'x'.repeat(43));
  t.equal(idOfKey(text), 'abcdefgh2345');
  for (const wrong of ['', 'tdm_', text.slice(1), `${text}a`, text.slice(0, -1), text.replace('abc', 'ABC'), text.replace('xx', 'x='), `${text.slice(0, -1)}\n`, `${text.slice(0, -1)}é`])
    t.equal(idOfKey(wrong), undefined, JSON.stringify(wrong));
});

t.test('a key’s life', async (t) => {
  t.equal(stateOfKey({ revokedAt: null, expiresAt: null }, 1e15), 'active');
  t.equal(stateOfKey({ revokedAt: null, expiresAt: 10 }, 9), 'active');
  t.equal(stateOfKey({ revokedAt: null, expiresAt: 10 }, 10), 'expired');
  t.equal(stateOfKey({ revokedAt: 5, expiresAt: 10 }, 10), 'revoked');
  const now = DEAD_KEPT_MS + 100;
  t.same(withoutLongDead([key('live'), key('old', { expiresAt: 100 }), key('late', { expiresAt: 101 }), key('gone', { revokedAt: 50, expiresAt: now })], now).map(({ name }) => name), ['live', 'late']);
});

t.test('which key is meant', async (t) => {
  const keys = [key('abc'), key('abd'), key('dead', { name: 'shop', revokedAt: 1 }), key('shopkey', { name: 'shop' })];
  t.equal(findKey(keys, 'abc', 10), keys[0]);
  t.match(findKey(keys, 'ab', 10), /2 keys match: abcaaaaaaaaa, abdaaaaaaaaa/);
  t.equal(findKey(keys, 'shop', 10), keys[3], 'of a name the one in use');
  t.match(findKey(keys, 'none', 10), /no key/);
});

t.test('revoking and rotating', async (t) => {
  const keys = [key('one', { expiresAt: 5000, role: 'operator' }), key('two')];
  t.same(revoked(revoked(keys, keys[0]!.id, 7), keys[0]!.id, 9).map(({ revokedAt }) => revokedAt), [7, null], 'the first time stays');
  const after = rotated(keys, keys[0]!, { id: 'next', hash: '11' }, 100, 2000);
  t.match(after[0], { expiresAt: 2100, replacedBy: 'next', revokedAt: null });
  t.same(after[2], { id: 'next', hash: '11', name: 'one', role: 'operator', createdAt: 2000, expiresAt: 6000, revokedAt: null, replacedBy: null }, 'the same lifetime, from now');
  t.equal(rotated(keys, keys[0]!, { id: 'next', hash: '11' }, 1e9, 2000)[0]!.expiresAt, 5000, 'never longer than it would have lived');
  t.equal(rotated(keys, keys[1]!, { id: 'next', hash: '11' }, 0, 2000)[2]!.expiresAt, null);
});

t.test('each role may what the ones before it may', async (t) => {
  for (const [rank, role] of ROLES.entries()) for (const [least, needed] of ROLES.entries()) t.equal(mayUse(role, needed), rank >= least, `${role} for ${needed}`);
  t.same(KEY_ROLES, ROLES.slice(1));
});

t.test('where a key is found in a request', async (t) => {
  const found = (headers: Record<string, string>): string | undefined => presentedKey((name) => headers[name] ?? '');
  t.equal(found({}), undefined);
  t.equal(found({ authorization: 'Bearer abc' }), 'abc');
  t.equal(found({ authorization: 'bearer   abc  ' }), 'abc');
  t.equal(found({ authorization: 'Basic dTpw' }), '', 'something else than a key is no key');
  t.equal(found({ authorization: 'Bearer a b' }), '');
  t.equal(found({ 'x-api-key': 'abc' }), 'abc');
  t.equal(found({ authorization: 'Bearer one', 'x-api-key': 'two' }), 'one');
  t.equal(found({ 'sec-websocket-protocol': 'tidemark.v1, tidemark.key.abc' }), 'abc');
  t.equal(found({ 'sec-websocket-protocol': 'tidemark.v1' }), undefined);
  t.equal(chosenProtocol('tidemark.v1, tidemark.key.abc'), 'tidemark.v1');
  t.equal(chosenProtocol('tidemark.key.abc,other'), 'other');
  t.equal(chosenProtocol('tidemark.key.abc'), '', 'a key never goes back');
  t.equal(chosenProtocol(''), '');
});
