import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { freePort } from '../../../runtime/ports.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { Child } from '../../support/child.js';
import { startScoringCluster } from '../../support/scoring-cluster.js';
import { until } from '../../support/wait.js';

t.setTimeout(300_000);
const CLIENTS = 8;
/** Above nginx's own keepalive_timeout of two seconds. */
const DRAIN_MS = 3000;
const NGINX = ['nginx', '/usr/sbin/nginx'].find((command) => spawnSync(command, ['-v']).status === 0);
const body = JSON.stringify({ features: view.features.map((_, i) => i) });

interface Outcomes { answered: number; readonly failures: string[]; readonly versions: Set<string> }

/** Clients that ask again as soon as they are answered, over connections that stay open. */
function load(port: number): { readonly outcomes: Outcomes; stop(): Promise<void> } {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const outcomes: Outcomes = { answered: 0, failures: [], versions: new Set() };
  let going = true;
  const once = (): Promise<string | undefined> => new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', agent, method: 'POST', path: '/predict', headers: { 'content-type': 'application/json', 'content-length': body.length } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('error', (error) => resolve(String(error))).on('end', () => {
        if (answer.statusCode !== 200) return resolve(`${answer.statusCode} ${text.slice(0, 200)}`);
        outcomes.versions.add((JSON.parse(text) as { model_version: string }).model_version);
        resolve(undefined);
      });
    });
    asked.on('error', (error) => resolve(String(error)));
    asked.end(body);
  });
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (; going; await sleep(2)) {
      const failure = await once();
      if (failure === undefined) outcomes.answered++;
      else outcomes.failures.push(failure);
    }
  });
  return { outcomes, async stop() { going = false; await Promise.all(clients); agent.destroy(); } };
}

t.test('two scorers behind nginx are restarted in turn under load: no request fails', { skip: NGINX === undefined && 'nginx is not installed (Debian: nginx-light)' }, async (t) => {
  const cluster = await startScoringCluster(t, { partitions: 2, settings: { KAFKA_SESSION_TIMEOUT_MS: '6000', SCORER_DRAIN_MS: String(DRAIN_MS) } });
  await cluster.publishModel('m0', 1);
  const ports = [cluster.settings.SCORER_PORT, await freePort()];
  const scorers = ports.map((port, i) => new Child('scorer-process.js', { ...cluster.env, INSTANCE: String(i), SCORER_PORT: String(port) }));
  t.teardown(async () => { for (const scorer of scorers) await scorer.kill(); });
  const ready = (port: number): Promise<boolean> => fetch(`http://127.0.0.1:${port}/health/ready`).then((answer) => answer.ok, () => false);
  for (const scorer of scorers) scorer.start();
  for (const port of ports) await until(`the scorer on ${port} is ready`, () => ready(port));

  const front = await freePort();
  const folder = join(cluster.dataDir, 'nginx');
  mkdirSync(folder, { recursive: true });
  const scorersConf = readFileSync(join(PROJECT_ROOT, 'deploy', 'nginx', 'tidemark.conf'), 'utf8').replace(':8080', `:${ports[0]}`).replace(':8180', `:${ports[1]}`).replace(':8000', `:${front}`);
  const errors = join(folder, 'error.log');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
  writeFileSync(join(folder, 'nginx.conf'), `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${errors} error;\nevents {}\nhttp { access_log off; ${temporary}\n${scorersConf}\n}\n`);
  const nginx = spawn(NGINX!, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', errors], { stdio: 'ignore' });
  t.teardown(async () => {
    nginx.kill('SIGTERM');
    await until('nginx has ended', () => nginx.exitCode !== null || nginx.signalCode !== null);
  });
  await until('nginx answers', () => ready(front));

  const { outcomes, stop } = load(front);
  await until('requests flow', () => outcomes.answered > 100);
  for (const [i, scorer] of scorers.entries()) {
    const before = outcomes.answered;
    const stopped = scorer.stop();
    await until('it says that it is about to end', async () => (await fetch(`http://127.0.0.1:${ports[i]}/health/ready`).catch(() => undefined))?.status === 503);
    await stopped;
    await until('the other goes on alone', () => outcomes.answered > before + 100);
    scorer.start();
    await until('it is ready again', () => ready(ports[i]!));
    await until('both go on', () => outcomes.answered > before + 300);
  }
  await stop();
  t.same(outcomes.failures, [], `of ${outcomes.answered + outcomes.failures.length} requests`);
  t.same([...outcomes.versions], ['m0']);
  t.same(scorers.flatMap(({ died }) => died), []);
  const cut = readFileSync(errors, 'utf8').split('\n').filter((line) => line !== '' && !/connect\(\) failed \(111/.test(line));
  // The system may cut connections that wait to be taken in the very moment that nobody takes any more, at each end once; nginx then asks the other scorer.
  t.ok(cut.length <= scorers.length * CLIENTS && cut.every((line) => line.includes('failed (104')), `nginx saw connections refused, and hardly one cut: ${cut.slice(0, 3).join('; ')}`);
  t.comment(`${outcomes.answered} requests answered`);
});
