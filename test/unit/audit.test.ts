import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PROJECT_ROOT } from '../../runtime/paths.js';

const NAME = 'zod';
const { packages } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string }> };
/** What a registry says of a package: of the version that is installed, that it needs nothing. */
const packument = (name: string): object => {
  const version = packages[`node_modules/${name}`]?.version ?? '1.0.0';
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist: { tarball: 'http://127.0.0.1/none' } } } };
};

/** npm itself against a registry of this machine that knows, or does not, something against a package. */
async function audit(t: Test, advisory: object | undefined): Promise<{ code: number | null; said: string }> {
  const cache = mkdtempSync(join(tmpdir(), 'tidemark-npm-'));
  const server = createServer((req, res) => {
    req.resume();
    if (advisory === undefined) return void res.writeHead(405).end();
    const path = req.url ?? '';
    const answer = path.includes('/advisories/bulk') ? advisory : packument(decodeURIComponent(path.slice(1)));
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => { server.closeAllConnections(); server.close(); rmSync(cache, { recursive: true, force: true }); });
  const child = spawn(process.execPath, [join(PROJECT_ROOT, '.ci', 'audit.mjs')], {
    cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, npm_config_cache: cache, npm_config_update_notifier: 'false' },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => { said += piece; });
  return { code: await new Promise((resolve) => child.on('close', resolve)), said };
}
const against = (severity: string): object => ({ [NAME]: [{ id: 1, url: 'https://example.org/1', title: 'a hole', severity, vulnerable_versions: '<999', cwe: [], cvss: { score: 0, vectorString: null } }] });

t.test('what CI makes of npm audit', async (t) => {
  const [silent, clean, moderate, high] = await Promise.all([audit(t, undefined), audit(t, {}), audit(t, against('moderate')), audit(t, against('high'))]);
  t.match(silent, { code: 0, said: /NOT CHECKED.*405/ });
  t.match(clean, { code: 0, said: /0 critical, 0 high, 0 moderate, 0 low/ });
  t.match(moderate, { code: 0, said: /moderate: zod: a hole.*1 moderate/s });
  t.match(high, { code: 1, said: /high: zod: a hole.*1 high/s });
});
