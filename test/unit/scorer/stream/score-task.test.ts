import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Log } from '../../../../runtime/log.js';
import type { KafkaRecord, TransactionOutput } from '../../../../runtime/kafka/records.js';
import { avroType } from '../../../../runtime/registry/avro-type.js';
import { frame } from '../../../../runtime/registry/wire-format.js';
import { ORT_RUNTIME } from '../../../../runtime/models/scoring-runtime.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames, featuresAvro, predictionsAvro } from '../../../../schemas/features/derive.js';
import { createModelCalls } from '../../../../scorer/model/calls.js';
import { createModelHolder } from '../../../../scorer/model/swap.js';
import { createTrialHolder } from '../../../../scorer/model/trial.js';
import { createBudget } from '../../../../scorer/core/budget.js';
import { createComparison } from '../../../../scorer/stream/compare.js';
import { SHADOW_PREDICTION_AVRO, type ShadowPrediction } from '../../../../schemas/events/shadow-prediction.js';
import { placeOf, saltOf } from '../../../../schemas/ledger/share.js';
import { partitionOfPrediction, predictionReader } from '../../../../scorer/store/prediction.js';
import { createRecordScorer, type Scored } from '../../../../scorer/stream/score-records.js';
import { createScoreTask } from '../../../../scorer/stream/score-task.js';
import { openOnlineStore } from '../../../../scorer/store/online-store.js';
import { featureRecords } from '../../../support/feature-records.js';
import { logisticModel } from '../../../support/onnx.js';

const OWN = 7;
const PREDICTIONS = 11;
const SHADOW = 13;
const P = 3;
const { fields, record } = featureRecords(view, OWN);
const read = predictionReader(view);
const names = featureNames(view);

/** A task on a real model and a real store; `now` is the clock. */
async function setUp(t: Test, more: { canonical?: object; versions?: number[]; now?: number; timeShare?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-task-'));
  const store = await openOnlineStore({ folder, layout: predictionsAvro(view), clusterId: 'k' });
  const holder = createModelHolder({ view, log: new Log('test', 'error', () => undefined) });
  const trial = createTrialHolder({ view, log: new Log('test', 'error', () => undefined) });
  const missed: string[] = [];
  const comparison = createComparison({
    partition: P, featureCount: names.length, schemaId: SHADOW, budget: createBudget(more.timeShare ?? 1, more.timeShare === undefined ? 1e9 : 20), observe: () => undefined,
    failed: (_trial, rows) => { missed.push(`${rows} failed`); }, passedOver: (rows) => { missed.push(`${rows} passed over`); },
  });
  const model = logisticModel(view, 'v1', 1);
  await holder.offer(model);
  const skipped: string[] = [];
  const appended: { topic: string; key: Buffer | null; value: Buffer | null }[] = [];
  const published: Scored[][] = [];
  const restored: KafkaRecord[] = [];
  const output: TransactionOutput = {
    append: (topic, key, value) => { appended.push({ topic, key, value: value === null ? null : Buffer.from(value) }); },
    appendText: (topic, key, bytes, from, to) => { appended.push({ topic, key: Buffer.from(key), value: Buffer.from(bytes.subarray(from, to)) }); },
    appendTo: () => t.fail('outputs stay on the input’s partition'),
  };
  const canonical = { now: (framed: Buffer) => (framed.readUInt32BE(1) === OWN ? framed : undefined), later: async (framed: Buffer) => frame(OWN, framed.subarray(5)), ...more.canonical };
  const task = createScoreTask({
    partition: P, store,
    restore: async (_partition, take) => { if (restored.length > 0) await take(restored, restored.at(-1)!.offset + 1); },
    score: createRecordScorer({
      partition: P, view, canonical, holder, calls: createModelCalls({ holder, log: new Log('test', 'error', () => undefined) }), trial: trial.current, comparison, predictionsSchemaId: PREDICTIONS, threshold: 0.6, clock: () => more.now ?? 1_700_000_002_000,
      skipped: (reason, { offset }) => { skipped.push(`${offset} ${reason}`); }, scored: () => undefined,
      newerVersion: (version) => { more.versions?.push(version); },
    }),
    publish: (_partition, committed) => { published.push([...committed]); },
  });
  t.teardown(async () => { await store.close(); holder.close(); trial.close(); rmSync(folder, { recursive: true, force: true }); });
  return { task, store, holder, trial, missed, model, skipped, appended, published, restored, output };
}

t.test('a batch becomes predictions: their bytes are what avsc writes, their scores the model’s', async (t) => {
  const { task, model, appended, output } = await setUp(t);
  const type = avroType(predictionsAvro(view));
  const given = Array.from({ length: 700 }, (_, i) => fields(i, i === 5 ? { customer_id: 'Zoë ☂ 你好', event_id: 'x'.repeat(128) } : {}));
  await task.process(given.map((one, i) => record(1000 + i, one)), output);
  t.equal(appended.length, 700);
  let wrong = 0;
  for (const [i, { topic, key, value }] of appended.entries()) {
    const one = given[i]!;
    const prediction = read(value!);
    const expected = frame(PREDICTIONS, type.toBuffer({
      prediction_id: `${P}-${1000 + i}`, customer_id: one.customer_id, event_id: one.event_id, event_time: one.event_time, scored_at: 1_700_000_002_000,
      score: prediction.score, decision: prediction.score >= 0.6 ? 'at_risk' : 'keep', model_version: 'v1', view_version: 1, trigger: one.trigger, degraded: false, runtime: ORT_RUNTIME,
      produced_at: one.produced_at, features_at: one.committed_at, channel: one.channel, ...Object.fromEntries(names.map((name, f) => [name, one.values[f]])),
    }));
    if (topic !== 'predictions' || key?.toString() !== one.customer_id || !value!.equals(expected)) wrong++;
    if (Math.abs(prediction.score - model.score(one.values)) > 1e-6) wrong++;
    if (partitionOfPrediction(value!) !== P) wrong++;
  }
  t.equal(wrong, 0);
});

t.test('the schema’s fields stand in the order that the scan takes them', async (t) => {
  t.strictSame(featuresAvro(view).fields.map(({ name }) => name), ['customer_id', 'event_id', 'event_time', 'trigger', 'view_version', 'produced_at', 'committed_at', 'channel', ...names]);
});

t.test('what cannot be scored is skipped and said, the rest goes on', async (t) => {
  const { task, skipped, appended, published, output, store } = await setUp(t);
  const cut = record(2, fields(2));
  await task.process([
    record(1, fields(1)),
    { ...cut, value: cut.value!.subarray(0, cut.value!.length - 1) },
    record(3, fields(3, { view_version: 0 })),
    { offset: 4, timestamp: 0, key: Buffer.from('C1'), value: null, headers: {} },
    { offset: 5, timestamp: 0, key: null, value: Buffer.from([0, 0, 0, 0, OWN, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]), headers: {} },
    record(6, fields(6)),
  ], output);
  t.strictSame(skipped, ['2 undecodable', '3 older_view_version', '5 undecodable', '4 deleted'].sort((a, b) => skipped.indexOf(a) - skipped.indexOf(b)));
  t.strictSame(appended.map(({ key }) => key?.toString()), ['C1', 'C6']);
  await task.committed(7, () => undefined);
  await store.flushed();
  t.equal(store.get('C1'), undefined, 'deleted after it was scored');
  t.equal(published[0]?.length, 3);
});

t.test('records of another schema id are brought into ours, in their place', async (t) => {
  const { task, appended, output } = await setUp(t);
  const other = featureRecords(view, OWN + 1);
  await task.process([record(1, fields(1)), other.record(2, fields(2)), record(3, fields(3)), other.record(4, fields(4))], output);
  t.strictSame(appended.map(({ key, value }) => `${key} ${read(value!).customer_id}`), ['C1 C1', 'C2 C2', 'C3 C3', 'C4 C4']);
});

t.test('records of a newer view version are left in Kafka', async (t) => {
  const versions: number[] = [];
  const { task, output } = await setUp(t, { versions });
  await t.rejects(async () => task.process([record(1, fields(1)), record(2, fields(2, { view_version: 2 }))], output), { code: 'CONSUMER_STALLED', message: /view version 2, this scorer has 1/ });
  t.strictSame(versions, [2]);
});

t.test('nobody is told what is not committed', async (t) => {
  const { task, store, published, output } = await setUp(t);
  await task.process([record(1, fields(1)), record(2, fields(2))], output);
  t.equal(published.length, 0);
  t.equal(store.get('C1'), undefined);
  await task.rollback();
  await task.process([record(1, fields(1))], output);
  await task.committed(2, () => undefined);
  t.strictSame(published.map((batch) => batch.map(({ customerId }) => customerId)), [['C1']]);
  t.equal(read(store.get('C1')!).prediction_id, `${P}-1`, 'read at once, before it is on disk');
  t.equal(store.position(P), 2);
});

t.test('opening restores the store without publishing anything', async (t) => {
  const { task, store, appended, published, restored } = await setUp(t);
  restored.push(...Array.from({ length: 600 }, (_, i) => record(i, fields(i % 100))));
  await task.open();
  await store.flushed();
  t.equal(store.stats().customers, 100);
  t.equal(read(store.get('C42')!).prediction_id, `${P}-542`);
  t.equal(store.position(P), 600);
  t.equal(appended.length + published.length, 0);
});

t.test('a model is swapped between two chunks of one batch', async (t) => {
  const { task, holder, appended, output } = await setUp(t);
  const second = logisticModel(view, 'v2', 9);
  const batch = (from: number) => Array.from({ length: 50 }, (_, i) => record(from + i, fields(from + i)));
  await task.process(batch(0), output);
  await holder.offer(second);
  await task.process(batch(50), output);
  const versions = appended.map(({ value }) => read(value!).model_version);
  t.strictSame([versions.indexOf('v2'), versions.lastIndexOf('v1'), versions.length], [50, 49, 100]);
  t.ok(Math.abs(read(appended[60]!.value!).score - second.score(fields(60).values)) < 1e-6);
});

t.test('a row that the model answers with NaN gets the fallback score, flagged', async (t) => {
  const { task, appended, output } = await setUp(t);
  await task.process([record(1, fields(1)), record(2, fields(2, { values: names.map(() => 1e300) }))], output);
  const [good, bad] = appended.map(({ value }) => read(value!));
  t.match(good, { degraded: false });
  t.match(bad, { degraded: true, score: 0.5, decision: 'keep' });
  t.equal(bad!.values[0], 1e300, 'its values as they were');
});

const shadowType = avroType(SHADOW_PREDICTION_AVRO);
const shadowOf = (value: Buffer | null): ShadowPrediction => shadowType.fromBuffer(value!.subarray(5)) as ShadowPrediction;
const inCanary = (version: string, customerId: string, share: number): boolean => placeOf(saltOf(version), Buffer.from(customerId), 0, Buffer.byteLength(customerId)) < share;

t.test('shadow: the champion’s predictions are the same bytes as without it, both scores stand beside them', async (t) => {
  const batch = () => Array.from({ length: 700 }, (_, i) => record(1000 + i, fields(i, i === 3 ? { customer_id: 'Zoë ☂ 你好' } : {})));
  const alone = await setUp(t);
  await alone.task.process(batch(), alone.output);
  const { task, trial, model, appended, output, missed, published, store } = await setUp(t);
  const second = logisticModel(view, 'v2', 9);
  t.ok(await trial.begin(second, { mode: 'shadow', share: 1 }));
  await task.process(batch(), output);
  const of = (topic: string) => appended.filter((one) => one.topic === topic);
  t.strictSame(of('predictions'), alone.appended);
  const compared = of('predictions.shadow');
  t.equal(compared.length, 700);
  let wrong = 0;
  for (const [i, { key, value }] of compared.entries()) {
    const one = fields(i, i === 3 ? { customer_id: 'Zoë ☂ 你好' } : {});
    const shadow = shadowOf(value);
    if (value!.readUInt32BE(1) !== SHADOW || key?.toString() !== one.customer_id || shadow.customer_id !== one.customer_id || shadow.event_time !== one.event_time) wrong++;
    if (shadow.prediction_id !== `${P}-${1000 + i}` || shadow.mode !== 'shadow' || shadow.champion_version !== 'v1' || shadow.challenger_version !== 'v2') wrong++;
    if (Math.abs(shadow.champion_score - model.score(one.values)) > 1e-6 || Math.abs(shadow.challenger_score - second.score(one.values)) > 1e-6) wrong++;
    if (shadow.champion_degraded || shadow.challenger_degraded || !(shadow.champion_us > 0) || !(shadow.challenger_us > 0)) wrong++;
  }
  t.equal(wrong, 0);
  t.strictSame(missed, []);
  await task.committed(1700, () => undefined);
  t.equal(published[0]?.length, 700, 'subscribers see the champion’s alone');
  t.equal(read(store.get('C5')!).model_version, 'v1');
  trial.end();
  appended.length = 0;
  await task.process(batch(), output);
  t.strictSame(appended, alone.appended);
});

t.test('canary: the challenger serves its share of the customers, always the same, and a larger share only adds some', async (t) => {
  const { task, trial, model, appended, output } = await setUp(t);
  const second = logisticModel(view, 'v2', 9);
  const given = Array.from({ length: 600 }, (_, i) => fields(i, { customer_id: `K${i % 200}` }));
  let before = new Set<string>();
  for (const share of [0.1, 0.4, 1]) {
    appended.length = 0;
    t.ok(await trial.begin(second, { mode: 'canary', share }));
    await task.process(given.map((one, i) => record(i, one)), output);
    const predictions = appended.filter(({ topic }) => topic === 'predictions').map(({ value }) => read(value!));
    t.strictSame(predictions.map(({ event_id }) => event_id), given.map(({ event_id }) => event_id), 'in order, each once');
    let wrong = 0;
    const served = new Set<string>();
    for (const [i, { customer_id, model_version, score }] of predictions.entries()) {
      if (model_version !== (inCanary('v2', customer_id, share) ? 'v2' : 'v1')) wrong++;
      if (Math.abs(score - (model_version === 'v2' ? second : model).score(given[i]!.values)) > 1e-6) wrong++;
      if (model_version === 'v2') served.add(customer_id);
    }
    t.equal(wrong, 0);
    t.ok([...before].every((id) => served.has(id)) && served.size > before.size, `${served.size} of 200 customers`);
    before = served;
    const pairs = appended.filter(({ topic }) => topic === 'predictions.shadow').map(({ value }) => shadowOf(value));
    t.strictSame(pairs.map(({ prediction_id }) => prediction_id), predictions.filter(({ model_version }) => model_version === 'v2').map(({ prediction_id }) => prediction_id), 'each served row has its champion’s score beside it');
    t.ok(pairs.every((pair) => Math.abs(pair.champion_score - model.score(given[Number(pair.prediction_id.split('-')[1])]!.values)) < 1e-6));
  }
});

t.test('a challenger that fails or answers with NaN harms nobody: its customers keep the champion’s score', async (t) => {
  const { task, trial, appended, output, missed, model } = await setUp(t);
  const second = logisticModel(view, 'v2', 9);
  await trial.begin(second, { mode: 'canary', share: 1 });
  await task.process([record(1, fields(1)), record(2, fields(2, { values: names.map(() => 1e300) }))], output);
  const rows = (topic: string) => appended.filter((one) => one.topic === topic);
  t.match(rows('predictions').map(({ value }) => read(value!)), [{ model_version: 'v2', degraded: false }, { model_version: 'v1', degraded: true }]);
  t.match(rows('predictions.shadow').map(({ value }) => shadowOf(value)), [{ challenger_degraded: false }, { challenger_degraded: true, challenger_score: 0.5 }]);
  appended.length = 0;
  (trial.current()!.model.session as { score: unknown }).score = () => { throw new Error('out of memory'); };
  await task.process([record(3, fields(3)), record(4, fields(4))], output);
  t.match(rows('predictions').map(({ value }) => read(value!)), [{ model_version: 'v1', degraded: false }, { model_version: 'v1', degraded: false }]);
  t.ok(Math.abs(read(rows('predictions')[0]!.value!).score - model.score(fields(3).values)) < 1e-6);
  t.match(rows('predictions.shadow').map(({ value }) => shadowOf(value)), [{ challenger_degraded: true }, { challenger_degraded: true }]);
  t.strictSame(missed, ['2 failed']);
});

t.test('shadow takes no more time than its budget; restoring the store compares nothing', async (t) => {
  const { task, trial, appended, output, missed, restored } = await setUp(t, { timeShare: 0 });
  await trial.begin(logisticModel(view, 'v2', 9), { mode: 'shadow', share: 1 });
  restored.push(...Array.from({ length: 50 }, (_, i) => record(i, fields(i))));
  await task.open();
  await task.process([record(51, fields(1)), record(52, fields(2))], output);
  t.strictSame(appended.map(({ topic }) => topic), ['predictions', 'predictions']);
  t.strictSame(missed, ['2 passed over']);
});
