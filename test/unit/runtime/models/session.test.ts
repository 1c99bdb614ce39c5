import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { ort } from '../../../../runtime/onnxruntime.js';
import { CALL_ROWS_MAX, openSession } from '../../../../runtime/models/session.js';
import { logisticOnnx, logisticScore, type LogisticOptions } from '../../../support/onnx.js';
import { sharedData } from '../../../support/shared-data.js';

const options: LogisticOptions = { weights: [0.5, -1, 0.25, 2], bias: -0.5 };
const F = options.weights.length;
const rows = [[1, 2, 3, 4], [0, 0, 0, 0], [Number.NaN, 1, Number.NaN, -1], [-3, 2.5, 1, 0.1]];

t.test('a session gives P(churn) of every row, from whichever fitting output', async (t) => {
  for (const columns of [1, 2] as const) {
    const session = openSession(logisticOnnx({ ...options, columns, outputs: ['out'] }), F, 'test');
    const out = new Float64Array(rows.length + 1).fill(-1);
    session.score(Float32Array.from([...rows.flat(), 9, 9, 9, 9]), rows.length, out, 1);
    t.equal(out[0], -1, 'writes from outAt on');
    for (const [i, row] of rows.entries()) t.ok(Math.abs((out[i + 1] as number) - logisticScore(options, row)) < 1e-6, `columns ${columns} row ${i}`);
    session.release();
  }
});

t.test('the direct call gives what the public one gives', async (t) => {
  const onnx = logisticOnnx(options);
  const session = openSession(onnx, F, 'test');
  const matrix = Float32Array.from(rows.flat());
  const out = new Float64Array(rows.length);
  session.score(matrix, rows.length, out, 0);
  const open = await ort.InferenceSession.create(onnx);
  const { probabilities } = await open.run({ x: new ort.Tensor('float32', matrix, [rows.length, F]) });
  const expected = (probabilities!.data as Float32Array).filter((_, i) => i % 2 === 1);
  t.strictSame([...out], [...expected]);
  await open.release();
  session.release();
});

t.test('more rows than one call takes, each scored as it is alone; what is released scores no more', async (t) => {
  const session = openSession(logisticOnnx(options), F, 'test');
  const many = 2 * CALL_ROWS_MAX + 3;
  const matrix = Float32Array.from({ length: many * F }, (_, i) => ((i * 7919) % 1000) / 250 - 2);
  const [out, one] = [new Float64Array(many), new Float64Array(1)];
  session.score(matrix, many, out, 0);
  for (const row of [0, 1, CALL_ROWS_MAX - 1, CALL_ROWS_MAX, 2 * CALL_ROWS_MAX, many - 1]) {
    session.score(matrix.subarray(row * F, (row + 1) * F), 1, one, 0);
    t.equal(one[0], out[row], `row ${row}`);
    t.ok(Math.abs(out[row]! - logisticScore(options, [...matrix.subarray(row * F, (row + 1) * F)])) < 1e-6);
  }
  session.release();
  session.release();
  t.throws(() => session.score(matrix, 1, one, 0), { code: 'INTERNAL', message: /model test: .*the session is released/ });
});

t.test('loading and releasing leaves no memory behind', async (t) => {
  const wide = 256;
  const onnx = logisticOnnx({ weights: Array.from({ length: wide }, () => 0.01), bias: 0 });
  const [matrix, out] = [new Float32Array(CALL_ROWS_MAX * wide), new Float64Array(CALL_ROWS_MAX)];
  const again = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const session = openSession(onnx, wide, 'test');
      for (let count = 1; count <= CALL_ROWS_MAX; count *= 2) session.score(matrix, count, out, 0);
      session.release();
      // As between the loads of a process: what waits for a turn to be freed would keep the heap from being used again.
      await nextTurn();
    }
  };
  await again(100);
  const before = process.memoryUsage.rss();
  await again(400);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  t.ok(grown < 60, `${grown.toFixed(1)} MiB more after 400 of them, of half a MiB each`);
});

t.test('what is not fit is refused with the reason', async (t) => {
  const cases: [string, Uint8Array, number, RegExp][] = [
    ['no ONNX', Buffer.from('hello'), F, /model m: ONNX Runtime cannot load it/],
    ['empty', Buffer.alloc(0), F, /cannot load it/],
    ['another width', logisticOnnx(options), F + 1, /input x has shape \[N, 4\], expected \[N, 5\]/],
    ['a fixed number of rows', logisticOnnx({ ...options, rows: 3 }), F, /takes 3 rows at a time only/],
    ['NaN for missing values', logisticOnnx({ ...options, nanPasses: true }), F, /a row of missing values gives NaN/],
    ['no probabilities', logisticOnnx({ ...options, linear: true }), F, /a row of zeros gives -0.5, expected a probability/],
    ['two candidates', logisticOnnx({ ...options, outputs: ['first', 'second'] }), F, /outputs first and second could each be P\(churn\)/],
  ];
  for (const [name, onnx, width, message] of cases) t.throws(() => openSession(onnx, width, 'm'), { code: 'MODEL_INVALID', message }, name);
  t.doesNotThrow(() => openSession(logisticOnnx({ ...options, outputs: ['a', 'probability'] }), F, 'm').release(), 'a name decides between two');
});

const folder = sharedData('onnx') ?? '';
t.test('models of other makers', { skip: folder === '' ? 'no reference models on this machine' : false }, async (t) => {
  const table = (name: string): number[][] => readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',').map(Number));
  const header = readFileSync(join(folder, 'expected-p-churn.csv'), 'utf8').split('\n')[0]!.split(',');
  const input = Float32Array.from(table('input-200.csv').flat());
  const expected = table('expected-p-churn.csv');
  for (const id of ['rf-nozipmap', 'lr-nozipmap', 'xgb', 'mlp']) {
    const session = openSession(readFileSync(join(folder, `${id}.onnx`)), 15, id);
    const out = new Float64Array(200);
    session.score(input, 200, out, 0);
    const column = header.indexOf(id);
    t.ok(expected.every((row, i) => Math.abs(row[column]! - out[i]!) < 1e-4), id);
    session.release();
  }
  t.throws(() => openSession(readFileSync(join(folder, 'rf-zipmap.onnx')), 15, 'zip'), { code: 'MODEL_INVALID', message: /ZipMap/ });
});
