import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runs, until } from '../../support/wait.js';
import { startUp } from '../../support/up-process.js';

const PARTS = ['clickhouse', 'drift', 'kafka', 'landing', 'processor', 'registry', 'rollout', 'scorer', 'trainer'];

t.test('the supervisor: parts that die come back, a killed supervisor leaves nothing behind, a stop is clean', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

  const first = startUp(dataDir, ['--no-source']);
  t.teardown(() => { first.process.kill('SIGKILL'); });
  await first.printed('Tidemark is up.');
  const children = first.children();
  t.same([...children.keys()].sort(), PARTS);
  const { SCORER_PORT, FEATURES_METRICS_PORT } = first.endpoints();
  const health = (port: string | undefined) => fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) });
  await until('the processor has its partitions', async () => ((await (await health(FEATURES_METRICS_PORT)).json()) as { status: string }).status === 'up', 90_000);
  t.equal((await health(SCORER_PORT)).headers.get('content-type')?.startsWith('application/'), true);

  const second = startUp(dataDir, ['--no-source']);
  t.equal(await second.ended, 1, 'a second one on the same folder');
  t.match(second.output(), new RegExp(`in use by tidemark up, process ${first.process.pid}`));

  for (const name of ['processor', 'kafka']) {
    process.kill(children.get(name) ?? 0, 'SIGKILL');
    await until(`${name} comes back`, () => (first.children().get(name) ?? children.get(name)) !== children.get(name), 90_000);
  }
  t.match(first.output(), /processor ended \(signal SIGKILL\); starting it again/);
  t.match(first.output(), /Kafka ended \(signal SIGKILL\); starting it again/);
  await until('the processor takes records again', () => health(FEATURES_METRICS_PORT).then((answer) => answer.ok, () => false), 90_000);

  const last = [...first.children().values()];
  t.equal(last.length, PARTS.length);
  first.process.kill('SIGKILL');
  t.equal(await first.ended, 'SIGKILL');
  await until('every part ends when the supervisor was killed', () => last.every((pid) => !runs(pid)), 90_000);

  const third = startUp(dataDir, ['--no-source']);
  t.teardown(() => { third.process.kill('SIGKILL'); });
  await third.printed('Tidemark is up.');
  const pids = [...third.children().values()];
  third.process.kill('SIGTERM');
  t.equal(await third.ended, 0, third.output());
  t.notMatch(third.output(), /not in order/);
  t.notOk(pids.some(runs), 'nothing is left running');
  for (const name of ['up.lock', 'endpoints.json', 'kafka.pid', 'registry.pid', 'clickhouse.pid']) t.notOk(existsSync(join(dataDir, name)), `${name} is gone`);
});
