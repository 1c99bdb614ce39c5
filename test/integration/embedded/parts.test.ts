import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { startEmbeddedKafka } from '../../../runtime/embedded/kafka.js';
import { fetchJars, partVersion } from '../../../runtime/embedded/maven.js';
import { startEmbeddedRegistry } from '../../../runtime/embedded/registry.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { offsetRanges } from '../../../runtime/kafka/read-partition.js';
import { loadSettings } from '../../../runtime/settings.js';
import { TEST_JARS_DIR, testLog } from '../../support/cluster.js';
import { freePort } from '../../support/ports.js';
import { runs, until } from '../../support/wait.js';

const TOPIC = 'kept';
const RECORDS = 50;
const SCHEMA = JSON.stringify({ type: 'record', name: 'Kept', fields: [{ name: 'a', type: 'string' }] });

async function folder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return dataDir;
}
const kafkaOn = (dataDir: string, port: number) => startEmbeddedKafka({ dataDir, port, log: testLog, jarsDir: TEST_JARS_DIR });
const registryOn = (dataDir: string, port: number, brokers?: string) =>
  startEmbeddedRegistry({ dataDir, port, log: testLog, jarsDir: TEST_JARS_DIR, ...(brokers === undefined ? {} : { brokers }) });

async function produce(brokers: string): Promise<void> {
  const kafka = createKafka(loadSettings({ KAFKA_BROKERS: brokers }), testLog);
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }], waitForLeaders: true });
  await producer.send({ topic: TOPIC, messages: Array.from({ length: RECORDS }, (_, i) => ({ value: `v${i}` })) });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}
const rangesAt = (brokers: string) => offsetRanges(createKafka(loadSettings({ KAFKA_BROKERS: brokers }), testLog), TOPIC);

async function register(url: string): Promise<number> {
  const response = await fetch(`${url}/subjects/kept-value/versions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ schema: SCHEMA }) });
  return ((await response.json()) as { id: number }).id;
}

t.test('records and schemas survive a stop and a kill, on other ports too', async (t) => {
  const dataDir = await folder();
  const first = await kafkaOn(dataDir, await freePort());
  const firstRegistry = await registryOn(dataDir, await freePort(), first.brokers);
  t.match(firstRegistry.url, /\/apis\/ccompat\/v7$/);
  await produce(first.brokers);
  const id = await register(firstRegistry.url);
  await firstRegistry.stop();
  await first.stop();
  t.notOk(runs(first.pid) || runs(firstRegistry.pid), 'both have ended');
  t.same(readdirSync(dataDir).filter((name) => name.endsWith('.pid')), [], 'no pid file is left');

  const second = await kafkaOn(dataDir, await freePort());
  t.same(await rangesAt(second.brokers), [{ low: 0, high: RECORDS }], 'after a stop');
  process.kill(second.pid, 'SIGKILL');
  t.equal(await second.exited, 'signal SIGKILL');
  await second.stop();

  const third = await kafkaOn(dataDir, await freePort());
  t.same(await rangesAt(third.brokers), [{ low: 0, high: RECORDS }], 'after a kill');
  const registry = await registryOn(dataDir, await freePort(), third.brokers);
  const kept = (await (await fetch(`${registry.url}/schemas/ids/${id}`)).json()) as { schema: string };
  t.same(JSON.parse(kept.schema), JSON.parse(SCHEMA), 'the schema has its id still');
  t.equal(await register(registry.url), id, 'registered again it is the same');
  await registry.stop();
  await third.stop();
});

t.test('a registry without brokers keeps its schemas as well', async (t) => {
  const dataDir = await folder();
  const first = await registryOn(dataDir, await freePort());
  const id = await register(first.url);
  await first.stop();
  const second = await registryOn(dataDir, await freePort());
  t.equal((await fetch(`${second.url}/schemas/ids/${id}`)).status, 200);
  await second.stop();
});

t.test('a taken port is an error with the variable, before anything is started', async (t) => {
  const dataDir = await folder();
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  await t.rejects(kafkaOn(dataDir, port), { code: 'PORT_TAKEN', message: /KAFKA_PORT/ });
  await t.rejects(registryOn(dataDir, port), { code: 'PORT_TAKEN', message: /SCHEMA_REGISTRY_PORT/ });
});

t.test('the broker ends when its owner is killed, and a leftover is stopped by the next start', async (t) => {
  const dataDir = await folder();
  const owner = fork(join(import.meta.dirname, '../../support/owner-process.js'), [dataDir, String(await freePort())]);
  const [pid] = (await once(owner, 'message')) as [number];
  t.ok(runs(pid));
  owner.kill('SIGKILL');
  await until('the orphaned broker ends', () => !runs(pid), 90_000);

  const port = await freePort();
  const before = await kafkaOn(dataDir, port);
  const after = await kafkaOn(dataDir, port);
  t.match(await before.exited, /SIGTERM|exit code 143/, 'the one before was told to stop');
  t.not(after.pid, before.pid);
  writeFileSync(join(dataDir, 'registry.pid'), String(process.pid));
  const registry = await registryOn(dataDir, await freePort(), after.brokers);
  t.ok(runs(process.pid), 'a stranger with a remembered pid is left alone');
  await registry.stop();
  await after.stop();
});

t.test('a fetch that fails leaves nothing behind, and says why', async (t) => {
  const dataDir = await folder();
  const jarsDir = join(dataDir, 'jars');
  const path = process.env['PATH'];
  t.teardown(() => { process.env['PATH'] = path; });
  process.env['PATH'] = join(dataDir, 'nothing');
  await t.rejects(fetchJars('kafka', jarsDir), { code: 'REQUIREMENT_MISSING', message: /Maven.*install/ });
  process.env['PATH'] = path;
  // A home of its own: no repository of fetched files, and settings that forbid the network.
  const home = join(dataDir, 'home');
  mkdirSync(join(home, '.m2'), { recursive: true });
  writeFileSync(join(home, '.m2', 'settings.xml'), '<settings><offline>true</offline></settings>');
  const options = process.env['MAVEN_OPTS'];
  t.teardown(() => { if (options === undefined) delete process.env['MAVEN_OPTS']; else process.env['MAVEN_OPTS'] = options; });
  process.env['MAVEN_OPTS'] = `-Duser.home=${home}`;
  await t.rejects(fetchJars('kafka', jarsDir), { code: 'DOWNLOAD_FAILED', message: /fetching Kafka [\d.]+ through Maven: .*start again/s });
  t.same(readdirSync(jarsDir), [], 'no half-made folder');
});

t.test('the classes of a first start are kept beside the jars, and used by the next', async (t) => {
  const [dataDir, jarsDir] = [await folder(), await folder()];
  for (const part of ['kafka', 'registry'] as const) symlinkSync(await fetchJars(part, TEST_JARS_DIR), join(jarsDir, partVersion(part)));
  const archives = (): string[] => readdirSync(jarsDir).filter((name) => name.endsWith('.jsa')).map((name) => name.replace(/[0-9a-f]{8}\.jsa$/, 'BUILD'));
  const mapped = (pid: number): boolean => readFileSync(`/proc/${pid}/maps`, 'utf8').includes(jarsDir);
  const start = async () => {
    const kafka = await startEmbeddedKafka({ dataDir, port: await freePort(), log: testLog, jarsDir });
    return [kafka, await startEmbeddedRegistry({ dataDir, port: await freePort(), log: testLog, jarsDir, brokers: kafka.brokers })] as const;
  };
  const [first, firstRegistry] = await start();
  await firstRegistry.stop();
  await first.stop();
  t.same(archives(), [`${partVersion('kafka')}-BUILD`, `${partVersion('registry')}-BUILD`]);
  t.same(readdirSync(jarsDir).filter((name) => name.startsWith('.')), [], 'whole');

  const [second, secondRegistry] = await start();
  if (process.platform === 'linux') t.ok(mapped(second.pid) && mapped(secondRegistry.pid), 'both have theirs in memory');
  await secondRegistry.stop();
  await second.stop();
  t.equal(archives().length, 2);
});
