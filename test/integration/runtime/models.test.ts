import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { MANIFEST_DEFAULTS, type ModelManifest } from '../../../schemas/events/model.js';
import type { LedgerEntry } from '../../../schemas/events/ledger-entry.js';
import { ledgerEntry } from '../../../schemas/ledger/entry.js';
import { TOPICS } from '../../../schemas/topics.js';
import { Log } from '../../../runtime/log.js';
import { createKafka } from '../../../runtime/kafka/client.js';
import { ensureTopics } from '../../../runtime/kafka/topics.js';
import { chunkKey, type ModelVersion } from '../../../runtime/models/assemble.js';
import { createManifestCodec } from '../../../runtime/models/codec.js';
import { publishModel, type SizedFields } from '../../../runtime/models/publish.js';
import { appendLedger, createLedgerCodec, followLedger, readLedger } from '../../../runtime/models/ledger.js';
import { followModels, readModels } from '../../../runtime/models/read.js';
import { createRegistry } from '../../../runtime/registry/registry.js';
import { startCluster } from '../../support/cluster.js';
import { random } from '../../support/random.js';

t.setTimeout(120_000);
const { settings } = await startCluster(t, { kafka: true, registry: true });
const lines: string[] = [];
const log = new Log('test', 'info', (line) => lines.push(line));
const kafka = createKafka(settings, log);
const transactional = createKafka(settings, log, 'transactional');
const registry = createRegistry(settings, log);
const codec = createManifestCodec(registry);
const ledger = createLedgerCodec(registry);
await ensureTopics(kafka, settings, [TOPICS.models, TOPICS.ledger]);

function bytesOf(seed: number, length: number): Buffer {
  const next = random(seed);
  return Buffer.from(Uint8Array.from({ length }, () => next() * 256));
}

const draft = (version: string): Omit<ModelManifest, SizedFields> => ({
  model: 'churn', version, stage: 'champion', family: 'xgboost', view: 'customer_activity', view_version: 1, features: ['a', 'b'],
  created_at: 1_768_000_000_000, metrics: { auc: 0.81 }, parameters: { seed: '7' }, data_hash: 'h', data_from: 1, data_to: 2, data_rows: 3,
  test_inputs: [[1, null], [0.5, 2]], test_outputs: [0.25, 0.75], ...MANIFEST_DEFAULTS,
});

async function readAll(): Promise<{ versions: ModelVersion[]; end: number }> {
  const versions: ModelVersion[] = [];
  const end = await readModels({ kafka, codec, log, onModel: (version) => void versions.push(version) });
  return { versions, end };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 90_000) throw new Error(`not within 90 s: ${what}`);
    await sleep(20);
  }
}

t.test('an empty topic has no version', async (t) => {
  t.same(await readAll(), { versions: [], end: 0 });
});

t.test('what is published is read, in one chunk and in several', async (t) => {
  const small = bytesOf(1, 1000);
  const large = bytesOf(2, 3_000_001);
  await publishModel(transactional, codec, draft('v1'), small);
  const published = await publishModel(transactional, codec, draft('v2'), large);
  t.equal(published.chunk_count, 4);
  const { versions } = await readAll();
  t.equal(versions.length, 2);
  t.same(versions.map(({ manifest }) => manifest.version), ['v1', 'v2']);
  t.ok(versions[0]!.onnx.equals(small));
  t.ok(versions[1]!.onnx.equals(large));
  t.strictSame({ ...versions[1]!.manifest }, published, 'every field of the manifest survives, the missing value as null');
});

t.test('a follower gets what comes after, in order, and again when the stage changes; one that its taker refuses is passed over', async (t) => {
  const { end } = await readAll();
  const seen: string[] = [];
  const follower = followModels({
    kafka, codec, log, from: end,
    onModel: ({ manifest }) => {
      seen.push(`${manifest.version} ${manifest.stage}`);
      if (manifest.version === 'v3') throw new Error('not this one');
    },
  });
  try {
    await publishModel(transactional, codec, draft('v3'), bytesOf(3, 500));
    await publishModel(transactional, codec, { ...draft('v4'), stage: 'candidate' }, bytesOf(4, 500));
    await publishModel(transactional, codec, draft('v4'), bytesOf(4, 500));
    await until(() => seen.length === 3, 'three versions');
    t.same(seen, ['v3 champion', 'v4 candidate', 'v4 champion']);
    t.ok(lines.some((line) => line.includes('"model_refused"') && line.includes('not this one')));
  } finally {
    await follower.stop();
  }
});

t.test('an aborted transaction and a foreign record are not seen as versions', async (t) => {
  const before = (await readAll()).versions.length;
  const producer = transactional.producer({ transactionalId: 'test-aborted', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: TOPICS.models.name, messages: [{ key: chunkKey(draft('v9'), 0), value: Buffer.from('x'), partition: 0 }] });
  await transaction.abort();
  const foreign = await producer.transaction();
  await foreign.send({ topic: TOPICS.models.name, messages: [{ key: 'churn/v9', value: Buffer.from('no avro'), partition: 0 }] });
  await foreign.commit();
  await producer.disconnect();
  t.equal((await readAll()).versions.length, before);
  t.ok(lines.some((line) => line.includes('"model_unreadable"') && line.includes('MODEL_INVALID')));
});

t.test('an empty model is refused before anything is sent', async (t) => {
  await t.rejects(publishModel(transactional, codec, draft('v0'), Buffer.alloc(0)), { code: 'MODEL_INVALID' });
});

t.test('a version and its ledger entries are seen together or not at all; entries by themselves; others’ records are passed over', async (t) => {
  const entry = (version: string, model = 'churn'): LedgerEntry => ledgerEntry({ model, version, action: 'promoted', champion: version, at: 1_768_000_000_000, by: 'trainer', evidence: '{"auc":0.8}' }, version);
  const options = { kafka, codec: ledger, log, model: 'churn' };
  t.same((await readLedger(options)).entries, []);
  const before = (await readAll()).versions.length;
  const followed: string[] = [];
  const follower = followLedger({ ...options, from: 0, onEntries: (entries) => { followed.push(...entries.map(({ version }) => version)); } });
  t.teardown(() => follower.stop());
  await t.rejects(publishModel(transactional, codec, draft('v5'), bytesOf(5, 500), async (transaction) => {
    await appendLedger(transaction, ledger, [entry('v5')]);
    throw new Error('killed here');
  }), { code: 'TRANSACTION_FAILED' });
  t.same((await readLedger(options)).entries, []);
  t.equal((await readAll()).versions.length, before);
  await publishModel(transactional, codec, draft('v6'), bytesOf(6, 500), (transaction) => appendLedger(transaction, ledger, [entry('v6')]));
  await appendLedger(kafka, ledger, [entry('other', 'ltv'), entry('v7'), entry('v7')]);
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: TOPICS.ledger.name, messages: [{ key: 'churn', value: 'no avro' }] });
  await producer.disconnect();
  await appendLedger(kafka, ledger, [entry('v8')]);
  const { entries } = await readLedger(options);
  t.same(entries, [entry('v6'), entry('v7'), entry('v8')]);
  t.equal((await readAll()).versions.length, before + 1);
  await until(() => followed.includes('v8'), 'the follower has them too');
  t.same([...new Set(followed)], ['v6', 'v7', 'v8']);
});
