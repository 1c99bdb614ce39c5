import { createHash } from 'node:crypto';
import t from 'tap';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { createBooster, type BoosterParameters } from '../../../trainer/xgboost/booster.js';
import type { Xgboost } from '../../../trainer/xgboost/capi.js';
import { createMatrix } from '../../../trainer/xgboost/matrix.js';
import { onnxFromXgboost } from '../../../trainer/onnx/from-xgboost.js';
import { checkOnnx, runOnnx } from '../../../trainer/onnx/run.js';
import { loadSettings } from '../../../runtime/settings.js';
import { TEST_JARS_DIR } from '../../support/cluster.js';
import { randomRows, type RandomRows } from '../../support/random-rows.js';

const SEED = Number(process.env['SEED'] ?? 20260115);
t.comment(`SEED=${SEED}`);
const library = await loadXgboost(loadSettings({ JARS_DIR: TEST_JARS_DIR }));
const names = (columns: number): string[] => Array.from({ length: columns }, (_, i) => `f${i}`);
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function trained(library: Xgboost, data: RandomRows, parameters: BoosterParameters, rounds: number) {
  const feature_names = names(data.columns);
  const matrix = createMatrix(library, { ...data, feature_names }, 2);
  const booster = createBooster(library, { objective: 'binary:logistic', tree_method: 'hist', nthread: 2, seed: 7, ...parameters }, [matrix]);
  for (let round = 0; round < rounds; round++) await booster.update(round, matrix);
  const scores = await booster.predict(matrix);
  const onnx = onnxFromXgboost(booster.save('json').toString(), feature_names, 'test');
  const hash = sha(booster.save('ubj'));
  booster.free();
  matrix.free();
  return { scores, onnx, hash };
}

t.test('ONNX Runtime gives XGBoost’s scores for models of every shape', async (t) => {
  const shapes: [BoosterParameters, number][] = [
    [{ max_depth: 1, eta: 1 }, 1],
    [{ max_depth: 3, eta: 0.3 }, 20],
    [{ max_depth: 6, eta: 0.1, subsample: 0.8, colsample_bytree: 0.8 }, 60],
    [{ max_depth: 10, eta: 0.5, min_child_weight: 0 }, 15],
    [{ max_depth: 6, gamma: 3, eta: 0.3 }, 20],
    [{ max_depth: 0, grow_policy: 'lossguide', max_leaves: 12, eta: 0.2 }, 25],
    [{ max_depth: 4, num_parallel_tree: 20, subsample: 0.7, colsample_bynode: 0.5, eta: 1 }, 1],
    [{ max_depth: 4, base_score: 0.9, eta: 0.2 }, 10],
    [{ max_depth: 5, tree_method: 'exact', eta: 0.3 }, 10],
    [{ max_depth: 3, gamma: 1e9 }, 3],
  ];
  for (const [index, [parameters, rounds]] of shapes.entries())
    for (const seed of [SEED + index, SEED + 100 + index]) {
      const data = randomRows(seed, 1500, 3 + (seed % 18));
      const { scores, onnx } = await trained(library, data, parameters, rounds);
      const worst = await checkOnnx(onnx, data.values, data.rows, data.columns, scores);
      t.ok(worst < 1e-6, `seed ${seed} ${JSON.stringify(parameters)}: largest difference ${worst}`);
    }
});

t.test('a value at a threshold, just below it and missing goes the same way', async (t) => {
  const data = randomRows(SEED + 7, 2000, 6);
  const { onnx } = await trained(library, data, { max_depth: 5, eta: 0.3 }, 10);
  const feature_names = names(6);
  const matrix = createMatrix(library, { ...data, feature_names }, 2);
  const booster = createBooster(library, { objective: 'binary:logistic', tree_method: 'hist', nthread: 2, seed: 7, max_depth: 5, eta: 0.3 }, [matrix]);
  for (let round = 0; round < 10; round++) await booster.update(round, matrix);
  const model = JSON.parse(booster.save('json').toString()) as { learner: { gradient_booster: { model: { trees: { left_children: number[]; split_indices: number[]; split_conditions: number[] }[] } } } };
  const rows: number[][] = [];
  const bits = new DataView(new ArrayBuffer(4));
  const below = (value: number): number => {
    bits.setFloat32(0, value);
    const raw = bits.getInt32(0);
    bits.setInt32(0, value > 0 ? raw - 1 : value < 0 ? raw + 1 : -0x7fffffff);
    return bits.getFloat32(0);
  };
  for (const tree of model.learner.gradient_booster.model.trees)
    for (const [node, left] of tree.left_children.entries()) {
      if (left === -1) continue;
      const threshold = Math.fround(tree.split_conditions[node]!);
      for (const value of [threshold, below(threshold), NaN]) {
        const row = Array.from(data.values.subarray((rows.length % 2000) * 6, (rows.length % 2000) * 6 + 6));
        row[tree.split_indices[node]!] = value;
        rows.push(row);
      }
    }
  const values = Float32Array.from(rows.flat());
  const probes = createMatrix(library, { values, rows: rows.length, columns: 6, feature_names }, 2);
  const expected = await booster.predict(probes);
  t.ok(rows.length > 100);
  t.ok((await checkOnnx(onnx, values, rows.length, 6, expected)) < 1e-6);
  for (const end of [probes, booster, matrix]) end.free();
});

t.test('the same rows and seed give the same bytes, whatever the threads', async (t) => {
  const data = randomRows(SEED + 11, 20_000, 12);
  const parameters = { max_depth: 5, eta: 0.2, subsample: 0.8, colsample_bytree: 0.8 };
  const first = await trained(library, data, parameters, 15);
  for (const nthread of [1, 2, 4]) {
    const again = await trained(library, data, { ...parameters, nthread }, 15);
    t.equal(again.hash, first.hash, `${nthread} threads`);
    t.equal(sha(again.onnx), sha(first.onnx));
  }
  const other = await trained(library, data, { ...parameters, seed: 8 }, 15);
  t.not(other.hash, first.hash, 'another seed, another model');
});

t.test('the process goes on while it trains', async (t) => {
  const data = randomRows(SEED + 13, 60_000, 20);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  await trained(library, data, { max_depth: 8 }, 10);
  clearInterval(timer);
  t.ok(ticks > 10, `${ticks} timer ticks`);
});

t.test('errors say what XGBoost says', async (t) => {
  const { values } = randomRows(SEED, 4, 3);
  t.throws(() => createMatrix(library, { values, rows: 5, columns: 3 }, 1), { code: 'INPUT_INVALID', message: /12 values, expected 5 rows × 3 columns/ });
  t.throws(() => createMatrix(library, { values, rows: 4, columns: 3, labels: new Float32Array(3) }, 1), { code: 'INPUT_INVALID', message: /3 labels, expected 4/ });
  t.throws(() => createMatrix(library, { values, rows: 4, columns: 3, feature_names: ['a'] }, 1), { code: 'INPUT_INVALID', message: /1 feature names, expected 3/ });
  values[4] = Infinity;
  t.throws(() => createMatrix(library, { values, rows: 4, columns: 3 }, 1), { code: 'INTERNAL', message: /XGDMatrixCreateFromMat_omp.*inf/ });
  values[4] = 0;
  const matrix = createMatrix(library, { values, rows: 4, columns: 3, labels: Float32Array.of(0, 1, 2, 0) }, 1);
  const booster = createBooster(library, { objective: 'binary:logistic' }, [matrix]);
  await t.rejects(booster.update(0, matrix), { code: 'INTERNAL', message: /UpdateOneIter.*label must be in/ });
  booster.free();
  booster.free();
  matrix.free();
});

t.test('a model that ONNX Runtime scores otherwise is refused', async (t) => {
  const data = randomRows(SEED + 17, 300, 5);
  const { onnx, scores } = await trained(library, data, { max_depth: 3 }, 5);
  const changed = scores.slice();
  changed[123]! += 2e-5;
  await t.rejects(checkOnnx(onnx, data.values, 300, 5, changed), { code: 'MODEL_CHECK_FAILED', message: /on row 123 of 300/ });
  await t.rejects(runOnnx(Buffer.from('no model'), data.values, 300, 5), { code: 'MODEL_CHECK_FAILED' });
  t.throws(() => onnxFromXgboost('{"learner":{"gradient_booster":{"name":"gblinear"},"objective":{"name":"x"},"learner_model_param":{}}}', [], 'x'), { code: 'MODEL_INVALID', message: /gblinear/ });
});

t.test('a library that is not there is said with the fix', async (t) => {
  await t.rejects(loadXgboost(loadSettings({ XGBOOST_LIBRARY: '/nowhere/libxgboost.so' })), { code: 'REQUIREMENT_MISSING', message: /XGBOOST_LIBRARY: there is no file/ });
  await t.rejects(loadXgboost(loadSettings({ XGBOOST_LIBRARY: import.meta.filename })), { code: 'REQUIREMENT_MISSING', message: /cannot be loaded/ });
});
