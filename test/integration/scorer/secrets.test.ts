import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { createAuditLog } from '../../../clickhouse/audit.js';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { newKey } from '../../../scorer/security/new-key.js';
import { startScoringCluster } from '../../support/scoring-cluster.js';
import { upgrade } from '../../support/security.js';
import { until } from '../../support/wait.js';

t.setTimeout(300_000);
const cluster = await startScoringCluster(t, { clickhouse: true, partitions: 1 });
const folder = mkdtempSync(join(tmpdir(), 'tidemark-secrets-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const client = createClickHouse(cluster.settings);
t.teardown(() => client.close());

const secret = (): string => `s3cret-${randomBytes(12).toString('base64url')}`;
const NAMES = ['SCHEMA_REGISTRY_PASSWORD', 'CLICKHOUSE_READER_PASSWORD', 'ARTIFACTS_ACCESS_KEY_ID', 'ARTIFACTS_SECRET_ACCESS_KEY', 'ARTIFACTS_SESSION_TOKEN', 'MLFLOW_TRACKING_TOKEN', 'SCORER_API_KEY'] as const;
const secrets: Record<string, string> = Object.fromEntries(NAMES.map((name) => [name, secret()]));
/** Half of them from files. */
const env: Record<string, string> = { ...cluster.env, PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'debug', SCHEMA_REGISTRY_USERNAME: 'tidemark', SCORER_KEY_RATE_PER_S: '1000' };
mkdirSync(join(folder, 'files'));
for (const [i, name] of NAMES.entries()) {
  const file = join(folder, 'files', name);
  writeFileSync(file, `${secrets[name]}\n`);
  Object.assign(env, i % 2 === 0 ? { [`${name}_FILE`]: file } : { [name]: secrets[name] });
}

const outputs: string[] = [];
interface Process { readonly output: () => string; readonly ended: Promise<number | null>; stop(): void }
/** The command line as a process of its own; everything that it writes is kept. */
function tidemark(args: readonly string[], more: Record<string, string> = {}): Process & { stdout: () => string } {
  const command = `const { main } = await import(${JSON.stringify(pathToFileURL(join(PROJECT_ROOT, 'dist', 'deploy', 'cli', 'main.js')).href)}); await main(process.argv.slice(1));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', command, ...args], { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, all] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (piece: string) => { stdout += piece; all += piece; });
  child.stderr.setEncoding('utf8').on('data', (piece: string) => { all += piece; });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => { outputs.push(all); resolve(code); }));
  t.teardown(async () => { child.kill('SIGKILL'); await ended; });
  return { stdout: () => stdout, output: () => all, ended, stop: () => void child.kill('SIGTERM') };
}
async function run(args: readonly string[], more: Record<string, string> = {}): Promise<{ code: number | null; stdout: string; output: string }> {
  const process_ = tidemark(args, more);
  return { code: await process_.ended, stdout: process_.stdout(), output: process_.output() };
}
const audited = async (): Promise<{ actor: string; action: string; target: string; outcome: string }[]> =>
  (await client.query({ query: 'SELECT actor, action, target, outcome FROM audit_log FINAL ORDER BY at', format: 'JSONEachRow' })).json();

t.test('entries of the audit log wait for ClickHouse, and are written once', async (t) => {
  const lines: string[] = [];
  const { Log } = await import('../../../runtime/log.js');
  const audit = createAuditLog({ settings: cluster.settings, log: new Log('t', 'info', (line) => lines.push(line)), service: 'scorer', retryMs: 20 });
  const entry = { actor: 'key:one', role: 'admin', address: '9.9.9.9', action: 'POST /retrain', outcome: 'done' as const, detail: { status: 202 }, requestId: 'r1' };
  audit.record({ ...entry, target: 'first' });
  await until('it waits', () => lines.some((line) => line.includes('"event":"audit_waits"')));
  for (let i = 0; i < 1200; i++) audit.record({ ...entry, target: `more ${i}` });
  t.equal(audit.stats.waiting, 1000, 'a bound on what waits');
  t.equal(audit.stats.dropped, 201);
  t.equal(lines.filter((line) => line.includes('"event":"audit"')).length, 1201, 'the log has them all');
  await migrate(client, cluster.settings);
  await until('ClickHouse has them', () => audit.stats.waiting === 0);
  await audit.stop();
  const rows = await audited();
  t.equal(rows.length, 1000);
  t.match(rows.find(({ target }) => target === 'more 1199'), { actor: 'key:one', action: 'POST /retrain', outcome: 'done' });
  t.notOk(rows.some(({ target }) => target === 'first'), 'the latest are kept');
  await client.command({ query: 'TRUNCATE TABLE audit_log' });
});

t.test('no secret that a run uses is in anything that it writes', async (t) => {
  const keys: string[] = [];
  for (const role of ['reader', 'admin']) {
    const made = await run(['keys', 'create', `the ${role}`, '--role', role]);
    t.equal(made.code, 0);
    keys.push(made.stdout.trim());
    // The key itself is what stdout is for.
    outputs.push(outputs.pop()!.replace(made.stdout.trim(), ''));
  }
  t.match(await audited(), [{ action: 'keys.create', actor: /^user:/, outcome: 'done' }, { action: 'keys.create' }]);
  const [reader = '', admin = ''] = keys;
  const stranger = newKey().text;

  await cluster.publishModel('m1', 1);
  const scorer = tidemark(['scorer']);
  const url = `http://127.0.0.1:${cluster.settings.SCORER_PORT}`;
  await until('the scorer serves', async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.status === 200);
  const bodies: string[] = [];
  const ask = async (path: string, init: RequestInit = {}): Promise<number> => {
    const answer = await fetch(url + path, init);
    bodies.push(JSON.stringify([...answer.headers]), await answer.text());
    return answer.status;
  };
  t.equal(await ask('/metrics', { headers: { 'x-api-key': reader } }), 200);
  t.equal(await ask('/customers/C1', { headers: { authorization: `Bearer ${stranger}` } }), 401);
  t.equal(await ask(`/customers/C1?key=${admin}`), 401);
  t.equal(await ask('/predict', { method: 'POST', body: '{', headers: { 'content-type': 'application/json', 'x-api-key': admin } }), 400);
  t.equal(await ask('/predict', { method: 'POST', body: '{"features":[]}', headers: { 'content-type': 'application/json', 'x-api-key': reader } }), 403);
  const opened = await upgrade(cluster.settings.SCORER_PORT, { 'sec-websocket-protocol': `tidemark.v1, tidemark.key.${reader}` });
  t.match(opened, { status: 101, protocol: 'tidemark.v1' });
  opened.socket?.destroy();
  t.equal((await run(['keys', 'revoke', reader.slice(4, 16)])).code, 0);
  await until('the key is refused', async () => (await ask('/metrics', { headers: { 'x-api-key': reader } })) === 401);

  t.equal((await run(['settings'])).code, 0);
  t.match((await run(['settings'])).output, /\*\*\*/);
  t.equal((await run(['features', 'C1'], { SCORER_API_KEY_FILE: '', SCORER_API_KEY: admin })).code, 1, 'nobody of that name');
  // What fails tells of it, and of no password.
  const passwords = { sasl: secret(), clickhouse: secret(), address: secret() };
  t.not((await run(['topics'], { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: passwords.sasl, TRANSACTION_DEADLINE_MS: '1000' })).code, 0);
  t.not((await run(['sql', 'SELECT 1'], { CLICKHOUSE_USER: 'nobody', CLICKHOUSE_PASSWORD: passwords.clickhouse })).code, 0);
  t.not((await run(['sql', 'SELECT 1'], { CLICKHOUSE_URL: `http://me:${passwords.address}@127.0.0.1:1` })).code, 0);
  t.not((await run(['settings'], { CLICKHOUSE_PASSWORD: passwords.clickhouse, CLICKHOUSE_PASSWORD_FILE: join(folder, 'absent'), KAFKA_PORT: 'x' })).code, 0);
  scorer.stop();
  t.equal(await scorer.ended, 0);
  t.match(scorer.output(), /"event":"keys_loaded"/);

  const used = [...Object.values(secrets), ...Object.values(passwords), ...[reader, admin, stranger].map((key) => key.slice(-43))];
  const written: [string, string][] = [...outputs.map((text, i): [string, string] => [`output ${i}`, text]), ...bodies.map((text): [string, string] => ['an answer', text])];
  for (const name of readdirSync(cluster.dataDir, { recursive: true, encoding: 'utf8' })) {
    const file = join(cluster.dataDir, name);
    if (/\.(log|json|txt|out)$/.test(name) && statSync(file).isFile()) written.push([name, readFileSync(file, 'latin1')]);
  }
  t.ok(written.length > 20, `${written.length} texts`);
  t.same(written.flatMap(([where, text]) => used.filter((one) => text.includes(one) || text.includes(encodeURIComponent(one))).map(() => where)), []);
  t.match(await audited(), [{}, {}, { action: 'keys.revoke', target: reader.slice(4, 16) }]);
});
