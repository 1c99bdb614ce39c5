import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readForeign, type ImportOptions } from '../../deploy/models/import.js';
import { Log } from '../../runtime/log.js';
import { openSession } from '../../runtime/models/session.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { createModelHolder } from '../../scorer/model/swap.js';
import { describeGraph } from '../../trainer/import/core/graph.js';
import { TINY_MODELS } from '../support/foreign-models.js';
import { logisticOnnx, logisticScore } from '../support/onnx.js';
import { sharedData } from '../support/shared-data.js';

const features = featureNames(view);
const folder = mkdtempSync(join(tmpdir(), 'tidemark-foreign-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const about = { model: 'churn', created_at: 1_768_000_000_000 };

function optionsOf(name: string, onnx: Uint8Array, csv: string, more: Partial<ImportOptions> = {}): ImportOptions {
  const file = join(folder, `${name}.onnx`);
  const check = join(folder, `${name}.csv`);
  writeFileSync(file, onnx);
  writeFileSync(check, csv);
  return { file, check, expected: 'expected', tolerance: 1e-4, inputs: undefined, map: [], service: undefined, why: '', ...more };
}

/** Imports, loads it as a scorer does, and scores rows of the view. */
async function serve(t: Test, options: ImportOptions, viewRows: readonly (readonly number[])[]): Promise<number[]> {
  const { manifest, onnx } = readForeign(options, about);
  const holder = createModelHolder({ view, log: new Log('test', 'error', (line) => t.comment(line)) });
  t.ok(await holder.offer({ manifest, onnx }), 'a scorer takes it');
  const out = new Float64Array(viewRows.length);
  holder.current()?.session.score(Float32Array.from(viewRows.flat()), viewRows.length, out, 0);
  holder.close();
  return [...out];
}

const COLUMNS = ['recency', 'spend_30d', 'tickets_30d'];
const MAP = ['recency=days_since_last_purchase'];
const PLACES = ['days_since_last_purchase', 'spend_30d', 'tickets_30d'].map((name) => features.indexOf(name));
const ROWS = [[1, 2, 0], [4, 0, 1], [NaN, 3, NaN], [2.5, NaN, 0.5], [0, 0, 0]];
const csvOf = (score: (row: readonly number[]) => number): string => [[...COLUMNS, 'expected'], ...ROWS.map((row) => [...row, score(row)])].map((line) => line.join(',')).join('\n');
const onView = (row: readonly number[]): number[] => features.map((_, i) => (PLACES.includes(i) ? row[PLACES.indexOf(i)]! : 7));
const logistic = { weights: [0.3, -0.2, 0.5], bias: 0.1 };
const ALL = [...TINY_MODELS, { name: 'logistic', onnx: logisticOnnx(logistic), score: (row: readonly number[]) => logisticScore(logistic, row) }];

for (const { name, onnx, score } of ALL)
  t.test(`${name}: imported with a mapping, served on rows of the view`, async (t) => {
    const scores = await serve(t, optionsOf(name, onnx, csvOf(score), { map: MAP }), ROWS.map(onView));
    for (const [i, row] of ROWS.entries()) t.ok(Math.abs(scores[i]! - score(row)) < 1e-6, `row ${i}: ${scores[i]}, ${score(row)}`);
    const { manifest, onnx: served, zipmap_removed } = readForeign(optionsOf(name, onnx, csvOf(score), { map: MAP }), about);
    t.equal(zipmap_removed, name.includes('ZipMap'));
    t.match(manifest, { stage: 'candidate', family: 'imported', features, parameters: { mapping: 'recency=days_since_last_purchase,spend_30d=spend_30d,tickets_30d=tickets_30d', source_file: `${name}.onnx` }, metrics: { check_rows: 5 } });
    t.notOk(describeGraph(served).operators.includes('ZipMap'));
    t.same(readForeign(optionsOf(name, onnx, csvOf(score), { map: MAP }), about).manifest, manifest, 'the same twice');
  });

t.test('what cannot be imported is refused with what to do', async (t) => {
  const { onnx, score } = TINY_MODELS[0]!;
  const good = csvOf(score);
  const cases: readonly (readonly [string, Uint8Array, string, Partial<ImportOptions>, string, RegExp])[] = [
    ['an input without a feature', onnx, good, {}, 'INPUT_INVALID', /inputs without a feature: recency; name one for each with --map recency=FEATURE/],
    ['a feature that is none', onnx, good, { map: ['recency=age'] }, 'INPUT_INVALID', /no feature of the view: age; its features are events_24h/],
    ['a mapped input that is none', onnx, good, { map: [...MAP, 'x=spend_7d'] }, 'INPUT_INVALID', /no input of the model: x; its inputs are recency/],
    ['a pair that is none', onnx, good, { map: ['recency'] }, 'INPUT_INVALID', /--map: got "recency", expected MODEL_INPUT=VIEW_FEATURE/],
    ['no column of scores', onnx, good.replace('expected', 'p'), { map: MAP }, 'INPUT_INVALID', /no column "expected" .* name it with --expected/],
    ['a score beyond 1', onnx, good.replace(/\n(.*),[^,]*$/, '\n$1,1.5'), { map: MAP }, 'INPUT_INVALID', /line 6: expected is "1.5"/],
    ['no number', onnx, good.replace('\n1,', '\none,'), { map: MAP }, 'INPUT_INVALID', /line 2: recency is "one"/],
    ['columns in another order', onnx, good, { map: MAP, inputs: ['tickets_30d', 'spend_30d', 'recency'] }, 'MODEL_CHECK_FAILED', /scores .*, expected .* within 0.0001.*--inputs/],
    ['a column too few', onnx, good, { map: MAP, inputs: COLUMNS.slice(0, 2) }, 'MODEL_INVALID', /shape \[N, 3\], expected \[N, 2\]/],
    ['no ONNX', Buffer.from('hello'), good, { map: MAP }, 'MODEL_INVALID', /no ONNX model that can be imported/],
    ['an empty file', Buffer.alloc(0), good, { map: MAP }, 'MODEL_INVALID', /it has no graph/],
    ['NaN for missing values', logisticOnnx({ ...logistic, nanPasses: true }), csvOf(() => 0.5), { map: MAP, tolerance: 1 }, 'MODEL_INVALID', /missing values gives NaN/],
    ['a fixed number of rows', logisticOnnx({ ...logistic, rows: 1 }), csvOf(() => 0.5), { map: MAP, tolerance: 1 }, 'MODEL_INVALID', /1 rows at a time only/],
  ];
  for (const [name, bytes, csv, more, code, message_] of cases) t.throws(() => readForeign(optionsOf('refused', bytes, csv, more), about), { code, message: message_ }, name);
  t.throws(() => readForeign({ ...optionsOf('refused', onnx, good, { map: MAP }), file: join(folder, 'absent.onnx') }, about), { code: 'INPUT_INVALID', message: /cannot read/ });
  const unchecked = readForeign(optionsOf('unchecked', onnx, good, { check: undefined, map: [...MAP, 'spend_30d=spend_30d', 'tickets_30d=tickets_30d'] }), about);
  t.equal(unchecked.difference_max, undefined);
  t.ok(unchecked.manifest.test_inputs.length > 0, 'it carries rows all the same');
});

const shared = sharedData('onnx');
t.test('models of scikit-learn and XGBoost from the reference data', { skip: shared === undefined && 'no shared/data/onnx beside the project' }, async (t) => {
  const { models, features_in_order } = JSON.parse(readFileSync(join(shared!, 'manifest.json'), 'utf8')) as { models: { id: string; file: string; zipmap: boolean }[]; features_in_order: string[] };
  const inputs = readFileSync(join(shared!, 'input-200.csv'), 'utf8').trim().split(/\r?\n/);
  const scores = readFileSync(join(shared!, 'expected-p-churn.csv'), 'utf8').trim().split(/\r?\n/).map((line) => line.split(','));
  for (const { id, file, zipmap } of models) {
    const at = scores[0]!.indexOf(id);
    const csv = inputs.map((line, i) => `${line},${i === 0 ? 'expected' : scores[i]![at]}`).join('\n');
    // The view has no count of all purchases ever; the 90 days' count stands in its place.
    const map = ['order_value_last=last_order_value', 'purchases_total=purchases_90d'];
    const options = optionsOf(id, readFileSync(join(shared!, file)), csv, { map });
    t.throws(() => readForeign({ ...options, map: [map[0]!] }, about), { message: /inputs without a feature: purchases_total/ }, `${id}: the unmapped input is named`);
    const { manifest, difference_max, zipmap_removed } = readForeign(options, about);
    t.equal(zipmap_removed, zipmap, id);
    t.ok(difference_max! < 1e-5, `${id}: 200 rows within ${difference_max} of Python’s`);
    const own = openSession(readForeign(options, about).onnx, features.length, id);
    own.release();
    const places = features_in_order.map((name) => features.indexOf({ order_value_last: 'last_order_value', purchases_total: 'purchases_90d' }[name] ?? name));
    t.same(places.filter((place) => place < 0), []);
    const rows = manifest.test_inputs.map((row) => row.map((value) => value ?? NaN));
    const served = await serve(t, options, rows);
    t.ok(served.every((score, i) => Math.abs(score - manifest.test_outputs[i]!) < 1e-6), id);
  }
});
