import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { openSession } from '../../../runtime/models/session.js';
import { ORT_RUNTIME, TREES_RUNTIME } from '../../../runtime/models/scoring-runtime.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../schemas/features/derive.js';
import { decide } from '../../../scorer/core/decision.js';
import { openKnownWalk } from '../../../scorer/model/walk.js';
import { compileReducer, type State } from '../../../stream-processors/features/core/reducer.js';
import { storeModel } from '../../../trainer/artifacts/store.js';
import { replayPrediction } from '../../../deploy/replay/main.js';
import { reportOf } from '../../../deploy/replay/report.js';
import { startCluster, testLog } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import { take } from '../../support/features.js';
import { shopHistory } from '../../support/history.js';
import { logisticModel } from '../../support/onnx.js';
import { stumpModel, type Stump } from '../../support/tree-model.js';

const SEED = Number(process.env['SEED'] ?? 5);
t.setTimeout(400_000);
t.comment(`SEED=${SEED}`);
const DAY = 86_400_000;
const VERSION = '20260101T000000Z-00000001';
const names = featureNames(view);
const { settings, env } = await startCluster(t, { clickhouse: true });
const client = createClickHouse(settings);
t.teardown(() => client.close());
await migrate(client, settings);
const model = logisticModel(view, VERSION, SEED);
await storeModel(settings, model.manifest, model.onnx);
const records = shopHistory({ seed: SEED, customers: 12, days: 60 }).map((record) => ({ ...record, kafka_offset: record.kafka_offset }));
await insertEvents(client, records);

interface Made { prediction_id: string; customer_id: string; trigger: 'event' | 'sweep'; event_id: string; event_time: number; produced_at: number; values: number[] }

/** What processor and scorer would have written: a prediction after each event, a sweep of everybody at the end. */
function predictions(): Made[] {
  const reducer = compileReducer(view);
  const states = new Map<string, State>();
  const offsets = new Map<number, number>();
  const made: Made[] = [];
  const partitionOf = new Map(records.map(({ customer_id, kafka_partition }) => [customer_id, kafka_partition]));
  const add = (about: Omit<Made, 'prediction_id' | 'values'>, state: State, clock: number): void => {
    const values = new Float64Array(names.length);
    reducer.vector(state, clock, values, 0);
    const partition = partitionOf.get(about.customer_id)!;
    const offset = offsets.get(partition) ?? 0;
    offsets.set(partition, offset + 1);
    made.push({ ...about, prediction_id: `${partition}-${offset}`, values: [...values] });
  };
  for (const record of records) {
    let state = states.get(record.customer_id);
    if (state === undefined) states.set(record.customer_id, state = reducer.create());
    if (take(reducer, state, record) === 0) add({ customer_id: record.customer_id, trigger: 'event', event_id: record.event_id, event_time: record.event_time, produced_at: record.event_time }, state, 0);
  }
  const clock = Math.max(...records.map(({ event_time }) => event_time)) + 30 * DAY;
  for (const [customer_id, state] of states) add({ customer_id, trigger: 'sweep', event_id: `sweep-${clock}`, event_time: clock, produced_at: clock }, state, clock);
  return made;
}

const made = predictions();
const session = openSession(model.onnx, names.length, 'test');
const scores = new Float64Array(made.length);
// in calls of several rows, as a scorer under load makes them
for (let from = 0; from < made.length; from += 16) {
  const rows = made.slice(from, from + 16);
  session.score(Float32Array.from(rows.flatMap(({ values }) => values)), rows.length, scores, from);
}
session.release();
const columnsOf = ({ values }: Made): Record<string, number | string> => Object.fromEntries(names.map((name, i) => [name, Number.isNaN(values[i]!) ? 'nan' : values[i]!]));
const rowOf = (prediction: Made, i: number): Record<string, unknown> => ({
  ...columnsOf(prediction), prediction_id: prediction.prediction_id, customer_id: prediction.customer_id, event_id: prediction.event_id, trigger: prediction.trigger,
  event_time: new Date(prediction.event_time).toISOString(), scored_at: new Date(prediction.event_time).toISOString(), produced_at: new Date(prediction.produced_at).toISOString(),
  features_at: new Date(prediction.event_time).toISOString(), kafka_time: new Date(prediction.event_time).toISOString(), score: scores[i], decision: decide(scores[i]!, 0.5),
  model_version: VERSION, view_version: view.version, degraded: false, runtime: ORT_RUNTIME, kafka_partition: 0, kafka_offset: i, channel: 'web',
});
await client.insert({ table: 'predictions', values: made.map(rowOf), format: 'JSONEachRow', clickhouse_settings: { max_partitions_per_insert_block: '0' } });

const replay = (id: string) => replayPrediction(settings, testLog, id);
const some = made.filter((_, i) => i % Math.ceil(made.length / 14) === 0 || i >= made.length - 4);

t.test('score and every feature come out bit for bit, after events and in sweeps', async (t) => {
  for (const { prediction_id, trigger, values } of some) {
    const again = await replay(prediction_id);
    t.ok(again.equal, `${prediction_id} ${trigger}: ${reportOf(again)}`);
    t.same(again.features.map(({ again: value }) => value), values);
    t.equal(again.model.source, 'artifacts');
    t.match(reportOf(again), `runtime    ${ORT_RUNTIME}, as when it was scored\n`);
  }
  t.equal((await replay(some[0]!.prediction_id)).trained_with, 'not known', 'a model without runtime versions');
});

t.test('what a walk of the trees scored is walked again', async (t) => {
  const version = '20260102T000000Z-00000002';
  const stump = (feature: number, at: number): Stump => ({ feature, at, weights: [-0.37, 0.53], cover: [4, 6] });
  const walked = stumpModel(view, version, names.map((_, feature) => stump(feature, feature)));
  await storeModel(settings, walked.manifest, walked.onnx);
  const [one] = some as [Made];
  const out = new Float64Array(1);
  openKnownWalk(walked.onnx, names.length).score(Float32Array.from(one.values), 1, out, 0);
  const prediction_id = `${one.prediction_id.split('-')[0]!}-8000000`;
  await client.insert({ table: 'predictions', values: [{ ...rowOf(one, made.indexOf(one)), prediction_id, model_version: version, score: out[0], decision: decide(out[0]!, 0.5), runtime: TREES_RUNTIME }], format: 'JSONEachRow' });
  t.match(await replay(prediction_id), { equal: true, runtime: { stored: TREES_RUNTIME, again: TREES_RUNTIME, equal: true } });
});

let tampered = '';
t.test('what was tampered with is found', async (t) => {
  const last = made.findLast(({ trigger, event_id }) => trigger === 'event' && records.some((record) => record.event_id === event_id && record.event_type === 'purchase'))!;
  const i = made.indexOf(last);
  const partition = last.prediction_id.split('-')[0]!;
  const add = async (number: number, changes: Record<string, unknown>): Promise<string> => {
    const prediction_id = `${partition}-${9_000_000 + number}`;
    await client.insert({ table: 'predictions', values: [{ ...rowOf(last, i), ...changes, prediction_id }], format: 'JSONEachRow' });
    return prediction_id;
  };
  const own = records.filter(({ customer_id }) => customer_id === last.customer_id);
  await insertEvents(client, own.map((record) => ({ ...record, customer_id: 'changed', amount: record.event_id === last.event_id ? record.amount! + 0.01 : record.amount })));
  tampered = await add(1, { customer_id: 'changed' });
  const changed = await replay(tampered);
  t.notOk(changed.equal);
  t.ok(changed.score.equal, 'the stored vector still gives the score');
  t.ok(changed.features.some(({ feature, equal }) => feature === 'last_order_value' && !equal), reportOf(changed));
  t.ok(changed.features.some(({ feature, equal }) => feature === 'events_30d' && equal));
  t.match(reportOf(changed), /last_order_value +[\d.]+ {2}again [\d.]+ {2}DIFFERENT/);

  await insertEvents(client, own.filter(({ event_id }) => event_id !== last.event_id).map((record) => ({ ...record, customer_id: 'cut' })));
  t.match((await replay(await add(2, { customer_id: 'cut' }))).events, /not among/);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, scores[i]!);
  bits.setBigUint64(0, bits.getBigUint64(0) + 1n);
  const score = await replay(await add(3, { score: bits.getFloat64(0) }));
  t.notOk(score.score.equal, 'one bit of the score');
  t.ok(score.features.every(({ equal }) => equal));
  for (const [runtime, warning] of [['ort/1.29.0 linux-arm64 tidemark/0.0.9', /WARNING: it was scored by ort\/1\.29\.0 linux-arm64 tidemark\/0\.0\.9: another runtime may round otherwise/], ['', /WARNING: by what it was scored was not recorded then/]] as const) {
    const other = await replay(await add(runtime === '' ? 5 : 6, { runtime }));
    t.match(other, { equal: true, runtime: { stored: runtime, again: ORT_RUNTIME, equal: false } }, 'told, not held against it');
    t.match(reportOf(other), warning);
  }
  t.match((await replay(await add(4, { view_version: view.version + 1 }))).events, /that release only/);
  await t.rejects(replay('0-99999999'), { code: 'NOT_FOUND' });
  await t.rejects(replay('anything'), { code: 'INPUT_INVALID' });
});

t.test('the command: a table, JSON, and an exit code', async (t) => {
  const command = (...args: string[]) => promisify(execFile)(process.execPath, [join(PROJECT_ROOT, 'deploy', 'tidemark.mjs'), 'replay-prediction', ...args], { env: { PATH: process.env['PATH'], ...env } })
    .then(({ stdout }) => ({ code: 0, stdout }), (error: { code: number; stdout: string }) => error);
  const { prediction_id } = some[0]!;
  const shown = await command(prediction_id);
  t.equal(shown.code, 0);
  t.match(shown.stdout, /equal, bit for bit\n$/);
  const { code, stdout } = await command(tampered, '--json');
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { equal: false, prediction: { prediction_id: tampered } });
});
