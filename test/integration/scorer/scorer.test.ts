import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createKafka } from '../../../runtime/kafka/client.js';
import { offsetRanges, readTopic } from '../../../runtime/kafka/read-partition.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { Log } from '../../../runtime/log.js';
import { createManifestCodec } from '../../../runtime/models/codec.js';
import { publishModel } from '../../../runtime/models/publish.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { registerSubjects } from '../../../runtime/registry/subjects.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featuresAvro } from '../../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../../schemas/topics.js';
import { latestFeatures } from '../../../scorer/features-command.js';
import { SCORER_GROUP, startScorer } from '../../../scorer/main.js';
import { predictionReader, type Prediction } from '../../../scorer/prediction.js';
import { onlineStoreFolder } from '../../../scorer/store/folder.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { featureRecords } from '../../support/feature-records.js';
import { logisticModel, type LogisticModel } from '../../support/onnx.js';
import { connectSocket, type SocketClient } from '../../support/socket-client.js';

t.setTimeout(120_000);
const PARTITIONS = 3;
const { settings } = await startCluster(t, { kafka: true, registry: true, partitions: PARTITIONS });
const kafka = createKafka(settings, testLog);
const transactional = createKafka(settings, testLog, 'transactional');
const registry = createRegistry(settings, testLog);
const codec = createManifestCodec(registry);
await ensureTopics(kafka, settings, [TOPICS.features, TOPICS.predictions, TOPICS.models]);
const [subject] = await registerSubjects(registry, [{ subject: subjectOf(TOPICS.features.name), schema: featuresAvro(view) }]);
const { fields, valueOf } = featureRecords(view, subject!.id);
const read = predictionReader(view);
const models = new Map<string, LogisticModel>();
const producer = kafka.producer();
await producer.connect();
t.teardown(() => producer.disconnect());

const CUSTOMERS = 40;
let published = 0;

/** Features numbered from 0 on: event e-n is customer C(n mod 40)'s. */
async function publishFeatures(count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => {
    const n = published++;
    const customer = `C${n % CUSTOMERS}`;
    return { key: customer, partition: n % CUSTOMERS % PARTITIONS, value: valueOf(fields(n, { customer_id: customer })) };
  });
  await producer.send({ topic: TOPICS.features.name, messages });
}

async function publish(version: string, seed: number): Promise<void> {
  const model = logisticModel(view, version, seed);
  models.set(version, model);
  await publishModel(transactional, codec, model.manifest, model.onnx);
}

async function predictions(): Promise<Prediction[]> {
  const all: Prediction[] = [];
  await readTopic(kafka, TOPICS.predictions.name, (_partition, records) => { for (const { value } of records) all.push(read(value!)); });
  return all;
}

async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined, withinMs = 15_000): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(40)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}
const scoredAll = (): Promise<Prediction[]> => until(`${published} predictions`, async () => { const all = await predictions(); return all.length >= published ? all : undefined; });

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
  await publish('m1', 1);
  const all = await scoredAll();
  checkPredictions(t, all);
  t.strictSame([...new Set(all.map(({ model_version }) => model_version))], ['m1']);
  await until('health', async () => { const { body } = await get(`${scorer.url}/health`); return body.status === 'up' ? true : undefined; });
  t.match((await get(`${scorer.url}/customers/C7`)).body, { customer_id: 'C7', event_id: 'e-167', model_version: 'm1', live: true });
});

t.test('swapped while records flow: every record is predicted once, by one of the two', async (t) => {
  const socket = (await connectSocket(Number(new URL(scorer.url).port))) as SocketClient;
  await socket.until(({ type }) => type === 'subscribed');
  const before = published;
  const flow = (async () => { for (let i = 0; i < 60; i++) { await publishFeatures(50); await sleep(10); } })();
  await sleep(200);
  await publish('m2', 2);
  await flow;
  await until('m2 serves', async () => ((await get(`${scorer.url}/health`)).body.dependencies.model.version === 'm2' ? true : undefined));
  await publishFeatures(50);
  const all = await scoredAll();
  checkPredictions(t, all);
  t.strictSame([...new Set(all.map(({ model_version }) => model_version))].sort(), ['m1', 'm2']);
  await until('all scores on the socket', () => (socket.received.length >= published - before ? true : undefined));
  t.strictSame(socket.received.map(({ seq }) => seq), Array.from({ length: published - before }, (_, i) => i + 1), 'live scores are numbered without a hole');
  socket.close();
});

t.test('a model that fails its check is refused, the one before it serves on', async (t) => {
  const bent = logisticModel(view, 'm3', 3, { test_outputs: [0, 0, 0, 0] });
  await publishModel(transactional, codec, bent.manifest, bent.onnx);
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
  checkPredictions(t, all);
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
  t.equal(logged.filter(({ event }) => event === 'online_store_restored').reduce((sum, line) => sum + Number(line['rows']), 0), published, 'read up to where the group stands');
  for (let c = 0; c < CUSTOMERS; c++) {
    const n = published - 1 - ((published - 1 - c) % CUSTOMERS);
    const { body } = await get(`${scorer.url}/customers/C${c}`);
    if (body.event_id !== `e-${n}`) t.fail(`C${c}: ${body.event_id}, expected e-${n}`);
  }
  await sleep(300);
  t.equal((await predictions()).length, before);
  t.strictSame(failures, []);
});

/** Each record of customer-features has one prediction, with its own values and the score of the model that it names. */
function checkPredictions(t: { equal(a: unknown, b: unknown, m: string): unknown }, all: readonly Prediction[]): void {
  t.equal(all.length, published, 'as many predictions as records');
  t.equal(new Set(all.map(({ prediction_id }) => prediction_id)).size, published, 'each id once');
  t.equal(new Set(all.map(({ event_id }) => event_id)).size, published, 'each record once');
  let wrong = 0;
  for (const prediction of all) {
    const given = fields(Number(prediction.event_id.slice(2)));
    const same = prediction.values.every((value, i) => Object.is(value, given.values[i]));
    if (!same || Math.abs(models.get(prediction.model_version)!.score(prediction.values) - prediction.score) > 1e-6) wrong++;
  }
  t.equal(wrong, 0, 'values and scores');
}

t.test('offsets of the group stand at the end', async (t) => {
  await sleep(300);
  const ranges = await offsetRanges(kafka, TOPICS.features.name);
  t.strictSame(await committed(), ranges.map(({ high }) => high));
});

t.test('records of a newer view version wait in Kafka, REST goes on', async (t) => {
  const before = (await predictions()).length;
  const newer = valueOf(fields(published, { customer_id: 'C0', view_version: view.version + 1 }));
  await producer.send({ topic: TOPICS.features.name, messages: [{ key: 'C0', partition: 0, value: newer }] });
  const health = await until('held', async () => { const { body } = await get(`${scorer.url}/health`); return body.dependencies.kafka.detail?.includes('view version 2') ? body : undefined; });
  t.match(health, { status: 'degraded', ready: true, dependencies: { kafka: { detail: /start a scorer of that version/ } } });
  await producer.send({ topic: TOPICS.features.name, messages: [{ key: 'C0', partition: 0, value: valueOf(fields(published, { customer_id: 'C0' })) }] });
  await sleep(1500);
  t.equal((await get(`${scorer.url}/customers/C3`)).status, 200);
  t.equal((await predictions()).length, before, 'what stands behind it is not scored either');
  t.strictSame(failures, []);
  const [low] = await committed();
  t.equal((await offsetRanges(kafka, TOPICS.features.name))[0]!.high - low!, 2, 'both stand before the group');
});
