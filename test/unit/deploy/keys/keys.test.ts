import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { PROJECT_ROOT } from '../../../../runtime/paths.js';
import { openKeyStore } from '../../../../scorer/security/key-store.js';
import { freePort } from '../../../../runtime/ports.js';
import { testLog } from '../../../support/cluster.js';

/** The command line as deploy/tidemark.mjs runs it once everything is built. */
const COMMAND = `const { main } = await import(${JSON.stringify(pathToFileURL(join(PROJECT_ROOT, 'dist', 'deploy', 'cli', 'main.js')).href)}); await main(process.argv.slice(1));`;

t.test('tidemark keys, from the first key to the last', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-keys-command-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: folder, CLICKHOUSE_PORT: String(await freePort()) };
  const told: string[] = [];
  const tidemark = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', COMMAND, 'keys', ...args], { env, encoding: 'utf8', timeout: 120_000 });
    told.push(stderr);
    return { status, stdout, stderr };
  };
  const verify = async (text: string): Promise<string | undefined> => {
    const store = await openKeyStore(join(folder, 'keys.json'), testLog);
    const role = store.verify(text)?.role;
    await store.stop();
    return role;
  };

  t.match(tidemark('list').stdout, /no keys/);
  const created = tidemark('create', 'shop', '--role', 'scorer', '--expires', '30d');
  t.equal(created.status, 0);
  t.match(created.stdout, /^tdm_[a-z2-7]{12}_[A-Za-z0-9_-]{43}\n$/, 'the key alone is on stdout');
  t.match(created.stderr, /shown this once/);
  t.match(created.stderr, /answers nobody without a key/, 'the first one changes something');
  t.match(created.stderr, /not recorded in ClickHouse.*"action":"keys.create"/s, 'without ClickHouse the entry is told');
  const shop = created.stdout.trim();
  t.equal(await verify(shop), 'scorer');

  const admin = tidemark('create', 'root', '--role', 'admin', '--expires', 'never').stdout.trim();
  const rotated = tidemark('rotate', 'shop', '--overlap', '0s').stdout.trim();
  t.equal(await verify(shop), undefined, 'replaced');
  t.equal(await verify(rotated), 'scorer');
  t.equal(tidemark('revoke', admin.slice(4, 16)).status, 0);
  t.equal(await verify(admin), undefined, 'revoked');

  const listed = tidemark('list', '--json').stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(listed, [{ name: 'shop', state: 'expired', replacedBy: rotated.slice(4, 16) }, { name: 'root', state: 'revoked', expiresAt: null }, { name: 'shop', state: 'active' }]);
  t.match(tidemark('list').stdout, /^id +name +role +state/);

  const kept = [readFileSync(join(folder, 'keys.json'), 'utf8'), ...told, JSON.stringify(listed)].join('\n');
  for (const text of [shop, admin, rotated]) t.notOk(kept.includes(text.slice(-43)), 'no secret is anywhere but on stdout, once');
  t.same(readdirSync(folder), ['keys.json']);

  for (const [args, why] of [
    [['create', 'x'], /--role/], [['create', 'x', '--role', 'boss'], /reader, scorer, operator, admin/], [['create', 'a\nb', '--role', 'reader'], /key name/],
    [['create', 'x', '--role', 'reader', '--expires', 'soon'], /--expires/], [['create', 'x', '--role', 'reader', '--expires', '2001-01-01T00:00:00Z'], /to come/],
    [['revoke', 'nobody'], /no key has this id or name/], [['rotate', 'root'], /no key has this/], [['burn'], /create, list, revoke, rotate/], [['list', '--role', 'reader'], /takes no --role/],
  ] as const) {
    const { status, stderr } = tidemark(...args);
    t.not(status, 0, args.join(' '));
    t.match(stderr, why);
  }
});
