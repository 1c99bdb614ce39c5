import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Log } from '../../../../runtime/log.js';
import type { KeyRecord } from '../../../../scorer/security/core/key.js';
import { idOfKey } from '../../../../scorer/security/core/key.js';
import { changeKeyFile, readKeyFile } from '../../../../scorer/security/key-file.js';
import { openKeyStore } from '../../../../scorer/security/key-store.js';
import { newKey } from '../../../../scorer/security/new-key.js';
import { until } from '../../../support/wait.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-keys-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `keys-${files++}.json`);

const record = (made: ReturnType<typeof newKey>, changes: Partial<KeyRecord> = {}): KeyRecord =>
  ({ id: made.id, hash: made.hash, name: 'shop', role: 'scorer', createdAt: 1000, expiresAt: null, revokedAt: null, replacedBy: null, ...changes });

function lines(): { log: Log; events: () => string[] } {
  const all: string[] = [];
  return { log: new Log('test', 'info', (line) => all.push(line)), events: () => all.map((line) => (JSON.parse(line) as { event: string }).event) };
}

t.test('keys are random and their file holds no more than hashes', async (t) => {
  const made = Array.from({ length: 200 }, newKey);
  t.equal(new Set(made.map(({ text }) => text)).size, 200);
  t.equal(new Set(made.map(({ id }) => id)).size, 200);
  for (const { id, text } of made) t.equal(idOfKey(text), id);
  const file = fresh();
  await changeKeyFile(file, 0, () => made.map((one) => record(one)));
  const text = readFileSync(file, 'utf8');
  t.notOk(made.some((one) => text.includes(one.text) || text.includes(one.text.slice(-43))));
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.same(await readKeyFile(file), made.map((one) => record(one)), 'and is read as it was written');
});

t.test('the file is changed whole, by one writer at a time', async (t) => {
  const file = fresh();
  await Promise.all(Array.from({ length: 20 }, () => changeKeyFile(file, 0, (keys) => [...keys, record(newKey())])));
  t.equal((await readKeyFile(file))?.length, 20, 'no change is lost');
  await t.rejects(changeKeyFile(file, 0, () => { throw new Error('no'); }), /no/);
  t.equal((await readKeyFile(file))?.length, 20);
  await t.rejects(changeKeyFile(file, 0, (keys) => [...keys, ...Array.from({ length: 981 }, () => record(newKey()))]), { code: 'INPUT_INVALID', message: /1001 keys, at most 1000/ });
  t.same(readdirSync(folder).filter((name) => /lock|new/.test(name)), [], 'nothing is left behind');
  writeFileSync(`${file}.lock`, '');
  const old = new Date(Date.now() - 60_000);
  utimesSync(`${file}.lock`, old, old);
  await changeKeyFile(file, 0, (keys) => keys.slice(1));
  t.equal((await readKeyFile(file))?.length, 19, 'a lock that a killed process left is taken over');
});

t.test('a file that cannot be trusted is refused', async (t) => {
  const file = fresh();
  t.equal(await readKeyFile(file), undefined, 'no file, no keys');
  for (const [text, why] of [['', /not a file of keys/], ['{"version":2,"keys":[]}', /version/], ['{"version":1,"keys":[{"id":"x"}]}', /keys.0.id/]] as const) {
    writeFileSync(file, text, { mode: 0o600 });
    await t.rejects(readKeyFile(file), { code: 'CONFIG_INVALID', message: why });
  }
  await changeKeyFile(fresh(), 0, () => []);
  writeFileSync(file, '{"version":1,"keys":[]}');
  chmodSync(file, 0o622);
  await t.rejects(readKeyFile(file), { code: 'CONFIG_INVALID', message: /others may write.*chmod 600/ });
});

t.test('the store follows the file', async (t) => {
  const file = fresh();
  const { log, events } = lines();
  let now = 5000;
  const store = await openKeyStore(file, log, { clock: () => now, lookMs: 10 });
  t.teardown(() => store.stop());
  t.equal(store.on, false);
  const [one, two, short] = [newKey(), newKey(), newKey()];
  await changeKeyFile(file, now, () => [record(one), record(short, { expiresAt: 6000 })]);
  await until('the first key is known', () => store.on);
  t.equal(store.verify(one.text)?.name, 'shop');
  t.equal(store.verify(two.text), undefined, 'another one');
  t.equal(store.verify(`${one.text.slice(0, -1)}${one.text.endsWith('A') ? 'B' : 'A'}`), undefined, 'one that is almost it');
  t.equal(store.verify(`tdm_${one.id}_${two.text.slice(-43)}`), undefined, 'a known id with another secret');
  for (const nonsense of ['', 'x', one.id, 'é'.repeat(60), one.text.repeat(1000)]) t.equal(store.verify(nonsense), undefined);
  t.equal(store.verify(short.text)?.id, short.id);
  now = 6000;
  t.equal(store.verify(short.text), undefined, 'expired by the clock, without a reading');
  t.equal(store.holds(short.id), false);
  t.equal(store.holds(one.id), true);

  await changeKeyFile(file, now, (keys) => [...keys.map((key) => (key.id === one.id ? { ...key, revokedAt: now } : key)), record(two)]);
  await until('the second key is known', () => store.verify(two.text) !== undefined);
  t.equal(store.verify(one.text), undefined, 'revoked');

  writeFileSync(`${file}.bad`, 'damaged', { mode: 0o600 });
  renameSync(`${file}.bad`, file);
  await until('the damage is told', () => events().includes('keys_not_reloaded'));
  t.equal(store.verify(two.text)?.id, two.id, 'what was known goes on');
  rmSync(file);
  await until('the keys are gone', () => store.verify(two.text) === undefined);
  t.equal(store.on, true, 'a door that was locked stays locked');
  t.notOk(existsSync(file));
});

t.test('a damaged file stops the start', async (t) => {
  const file = fresh();
  writeFileSync(file, 'damaged', { mode: 0o600 });
  await t.rejects(openKeyStore(file, lines().log), { code: 'CONFIG_INVALID' });
});
