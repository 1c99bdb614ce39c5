import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { offsetRanges } from '../../../runtime/kafka/read-partition.js';
import { Log } from '../../../runtime/log.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { SCORER_GROUP } from '../../../schemas/groups.js';
import { TOPICS } from '../../../schemas/topics.js';
import { latestFeatures } from '../../../scorer/features-command.js';
import { startScorer } from '../../../scorer/main.js';
import { onlineStoreFolder } from '../../../scorer/store/folder.js';
import type { Prediction } from '../../../scorer/store/prediction.js';
import { CUSTOMERS, startScoringCluster } from '../../support/scoring-cluster.js';
import { connectSocket, type SocketClient } from '../../support/socket-client.js';

t.setTimeout(400_000);
const PARTITIONS = 3;
const cluster = await startScoringCluster(t, { partitions: PARTITIONS });
const { settings, kafka, predictions, publishFeatures } = cluster;

async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined, withinMs = 90_000): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(40)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}
const scoredAll = (): Promise<Prediction[]> => until(`${cluster.published} predictions`, async () => { const all = await predictions(); return all.length >= cluster.published ? all : undefined; });

interface Running { url: string; stop(): Promise<void> }
const failures: unknown[] = [];
const logged: Record<string, unknown>[] = [];
async function start(): Promise<Running> {
  const log = new Log('scorer', 'info', (line) => { logged.push(JSON.parse(line) as Record<string, unknown>); });
  const scorer = await startScorer(settings, log, (error) => { failures.push(error); });
  return { url: `http://127.0.0.1:${scorer.port}`, stop: () => scorer.stop() };
}
const get = async (url: string): Promise<{ status: number; body: any }> => { const res = await fetch(url); return { status: res.status, body: await res.json() }; };

/** The group's committed offsets by partition. */
async function committed(): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  const [group] = await admin.fetchOffsets({ groupId: SCORER_GROUP, topics: [TOPICS.features.name] });
  await admin.disconnect();
  return group!.partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
}

let scorer: Running;
t.teardown(async () => { await scorer?.stop(); });

t.test('without a model records wait in Kafka; with the first one all are scored', async (t) => {
  await publishFeatures(200);
  scorer = await start();
  t.match(await get(`${scorer.url}/health`), { status: 503, body: { status: 'down', dependencies: { kafka: { detail: /wait in Kafka for a first model/ }, model: { status: 'down' } } } });
  await sleep(500);
  t.equal((await predictions()).length, 0);
  await cluster.publishModel('m1', 1);
  const all = await scoredAll();
  t.strictSame(cluster.complaints(all), []);
  t.strictSame([...new Set(all.map(({ model_version }) => model_version))], ['m1']);
  await until('health', async () => { const { body } = await get(`${scorer.url}/health`); return body.status === 'up' ? true : undefined; });
  t.match((await get(`${scorer.url}/customers/C7`)).body, { customer_id: 'C7', event_id: 'e-167', model_version: 'm1', live: true });
});

t.test('swapped while records flow: every record is predicted once, by one of the two', async (t) => {
  const socket = (await connectSocket(Number(new URL(scorer.url).port))) as SocketClient;
  await socket.until(({ type }) => type === 'live');
  const before = cluster.published;
  const flow = (async () => { for (let i = 0; i < 60; i++) { await publishFeatures(50); await sleep(10); } })();
  await sleep(200);
  await cluster.publishModel('m2', 2);
  await flow;
  await until('m2 serves', async () => ((await get(`${scorer.url}/health`)).body.dependencies.model.version === 'm2' ? true : undefined));
  await publishFeatures(50);
  const all = await scoredAll();
  t.strictSame(cluster.complaints(all), []);
  t.strictSame([...new Set(all.map(({ model_version }) => model_version))].sort(), ['m1', 'm2']);
  await until('all scores on the socket', () => (socket.received.length >= cluster.published - before ? true : undefined));
  t.strictSame(socket.received.map(({ seq }) => seq), Array.from({ length: cluster.published - before }, (_, i) => i + 1), 'live scores are numbered without a hole');
  socket.close();
});

t.test('a model that fails its check is refused, the one before it serves on', async (t) => {
  await cluster.publishModel('m3', 3, { test_outputs: [0, 0, 0, 0] });
  const health = await until('refusal', async () => { const { body } = await get(`${scorer.url}/health`); return body.dependencies.model.refused === undefined ? undefined : body; });
  t.match(health, { status: 'degraded', ready: true, dependencies: { model: { version: 'm2', refused: { version: 'm3', reason: /test row 0/ } } } });
  await publishFeatures(30);
  t.ok((await scoredAll()).slice(-5).every(({ model_version }) => model_version !== 'm3'));
});

t.test('stopped and started: nothing is predicted twice, the store is there at once', async (t) => {
  await scorer.stop();
  t.match(await latestFeatures(settings, 'C3'), { source: 'store', customer: { customer_id: 'C3' } }, 'read from disk while no scorer runs');
  await t.rejects(latestFeatures(settings, 'nobody'), { code: 'NOT_FOUND', message: /online store in/ });
  await publishFeatures(100);
  scorer = await start();
  t.equal((await get(`${scorer.url}/customers/C3`)).status, 200, 'answered from the store before Kafka is joined');
  const all = await scoredAll();
  t.strictSame(cluster.complaints(all), []);
  t.match(await latestFeatures(settings, 'C3'), { source: 'scorer' });
});

t.test('with its disk lost the store is filled again from customer-features, and nothing is predicted again', async (t) => {
  const before = (await scoredAll()).length;
  await scorer.stop();
  rmSync(onlineStoreFolder(settings, view), { recursive: true });
  await t.rejects(latestFeatures(settings, 'C3'), { code: 'NOT_FOUND', message: /no online store/ });
  logged.length = 0;
  scorer = await start();
  await until('restored', () => (logged.filter(({ event }) => event === 'online_store_restored').length >= PARTITIONS ? true : undefined));
  t.equal(logged.filter(({ event }) => event === 'online_store_restored').reduce((sum, line) => sum + Number(line['rows']), 0), cluster.published, 'read up to where the group stands');
  for (let c = 0; c < CUSTOMERS; c++) {
    const n = cluster.published - 1 - ((cluster.published - 1 - c) % CUSTOMERS);
    const { body } = await get(`${scorer.url}/customers/C${c}`);
    if (body.event_id !== `e-${n}`) t.fail(`C${c}: ${body.event_id}, expected e-${n}`);
  }
  await sleep(300);
  t.equal((await predictions()).length, before);
  t.strictSame(failures, []);
});

t.test('offsets of the group stand at the end', async (t) => {
  await sleep(300);
  const ranges = await offsetRanges(kafka, TOPICS.features.name);
  t.strictSame(await committed(), ranges.map(({ high }) => high));
});

t.test('records of a newer view version wait in Kafka, REST goes on', async (t) => {
  const before = (await predictions()).length;
  await cluster.publishOther({ view_version: view.version + 1 });
  const health = await until('held', async () => { const { body } = await get(`${scorer.url}/health`); return body.dependencies.kafka.detail?.includes('view version 2') ? body : undefined; });
  t.match(health, { status: 'degraded', ready: true, dependencies: { kafka: { detail: /start a scorer of that version/ } } });
  await cluster.publishOther({});
  await sleep(1500);
  t.equal((await get(`${scorer.url}/customers/C3`)).status, 200);
  t.equal((await predictions()).length, before, 'what stands behind it is not scored either');
  t.strictSame(failures, []);
  const [low] = await committed();
  t.equal((await offsetRanges(kafka, TOPICS.features.name))[0]!.high - low!, 2, 'both stand before the group');
});
