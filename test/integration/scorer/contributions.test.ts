import t, { type Test } from 'tap';
import { openSession } from '../../../runtime/models/session.js';
import { loadSettings } from '../../../runtime/settings.js';
import { explainableOf, marginOf } from '../../../scorer/explain/core/explainable.js';
import { openWalk, WALK_TOLERANCE } from '../../../scorer/model/walk.js';
import { calibrateAll, fitIsotonic, fitPlatt, type Calibration } from '../../../trainer/core/calibration.js';
import { familyOf } from '../../../trainer/families/all.js';
import { FAMILIES, type FamilyName } from '../../../trainer/families/family.js';
import { calibrationPart } from '../../../trainer/onnx/calibration.js';
import { buildModel, joined, OUTPUT_NAME } from '../../../trainer/onnx/graph.js';
import { runOnnx } from '../../../trainer/onnx/run.js';
import type { LabelledRows } from '../../../trainer/rows.js';
import { boost, matrixOf, probabilities } from '../../../trainer/select/boost.js';
import type { Hyper } from '../../../trainer/core/search.js';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { TEST_JARS_DIR } from '../../support/cluster.js';
import { seedOf } from '../../support/random.js';
import { randomRows } from '../../support/random-rows.js';
import { contributionsByXgboost } from '../../support/xgboost-contributions.js';

const SEED = seedOf(20260412);
t.setTimeout(300_000);
t.comment(`SEED=${SEED}`);
const library = await loadXgboost(loadSettings({ JARS_DIR: TEST_JARS_DIR }));
const context = { library, threads: 2, seed: 7 };

function labelled(seed: number, rows: number, columns: number): LabelledRows {
  const data = randomRows(seed, rows, columns);
  return {
    feature_names: Array.from({ length: columns }, (_, i) => `f${i}`), rows, values: data.values, labels: data.labels,
    at: new Float64Array(rows).fill(1), on_event: new Uint8Array(rows), customer: Uint32Array.from({ length: rows }, (_, i) => i % 40),
  };
}

/** Columns of the library's matrix that belong to a feature: a linear model has several of each. */
const columnsOf = (name: FamilyName, features: number, missing: readonly number[]): readonly (readonly number[])[] =>
  Array.from({ length: features }, (_, i) => (name !== 'logistic_regression' ? [i] : [i, ...(missing.includes(i) ? [features + missing.indexOf(i)] : [])]));

/** What the scorer walks itself comes to ONNX Runtime's scores, calibration included. */
async function checkWalk(t: Test, onnx: Uint8Array, { values, rows }: LabelledRows, served: Float32Array, trees: boolean): Promise<void> {
  const session = openSession(onnx, values.length / rows, 'test');
  const walk = await openWalk(onnx, session);
  session.release();
  if (typeof walk === 'string') return void t.ok(!trees, walk);
  const scores = new Float64Array(rows);
  walk.score(values, rows, scores, 0);
  t.ok(scores.every((score, i) => Math.abs(score - served[i]!) <= WALK_TOLERANCE), 'walked');
}

const SHAPES: readonly (readonly [FamilyName, Hyper, number])[] = [
  ['xgboost', {}, 200], ['xgboost', { max_depth: 6, learning_rate: 0.1, min_child_weight: 1 }, 200], ['xgboost', { max_depth: 1 }, 20], ['xgboost', { max_depth: 12, min_child_weight: 0 }, 30],
  ['random_forest', {}, 1], ['logistic_regression', {}, 60],
];

t.test('contributions are XGBoost’s own for every family, missing values included', async (t) => {
  for (const [n, [name, changes, rounds]] of SHAPES.entries()) {
    const features = [19, 20, 4, 7, 12, 19][n]!;
    const family = familyOf(name);
    const train = labelled(SEED + n, 3000, features);
    const unseen = labelled(SEED + 100 + n, 150, features);
    unseen.values.set(Array.from({ length: features }, (_, i) => (i % 2 === 0 ? 1e9 : -1e9)), 0);
    unseen.values.fill(0, features, 2 * features);
    unseen.values.fill(NaN, 2 * features, 3 * features);
    const preparation = family.prepare(train);
    const matrix = matrixOf(preparation, train, context);
    const other = matrixOf(preparation, unseen, context);
    const { booster } = await boost(family, { ...family.starts(train.rows)[0], ...changes }, { train: matrix, most: rounds }, context);
    const json = booster.save('json');
    const expected = contributionsByXgboost(library, json, other);
    const scores = await probabilities(booster, other);
    booster.free();
    matrix.free();
    other.free();

    const missing = Array.from({ length: features }, (_, i) => i).filter((i) => train.values.some((value, at) => at % features === i && Number.isNaN(value)));
    const columns = columnsOf(name, features, missing);
    const width = expected.length / unseen.rows;
    const fitted: readonly Calibration[] = [fitPlatt({ labels: unseen.labels, scores }), fitIsotonic({ labels: unseen.labels, scores })];
    const calibrations: readonly Calibration[] = [{ method: 'none' }, ...(name === 'xgboost' && rounds === 200 ? [] : fitted)];
    for (const calibration of calibrations) {
      const onnx = buildModel('test', features, joined(preparation.part(json.toString(), 'uncalibrated'), calibrationPart(calibration, 'uncalibrated', OUTPUT_NAME)), {});
      const served = await runOnnx(onnx, unseen.values, unseen.rows, features);
      await checkWalk(t, onnx, unseen, served, name !== 'logistic_regression');
      const rows = Array.from({ length: unseen.rows }, (_, row) => Array.from(unseen.values.subarray(row * features, (row + 1) * features)));
      const model = explainableOf(onnx, features, { rows, scores: Array.from(served) });
      t.equal(model.calibration, calibration.method);
      t.equal(model.unit, name === 'random_forest' ? 'probability' : 'log_odds');
      const out = new Float64Array(unseen.rows * features);
      model.contributions(unseen.values, unseen.rows, out);
      let worst = 0;
      let byScore = 0;
      for (let row = 0; row < unseen.rows; row++) {
        worst = Math.max(worst, Math.abs(expected[(row + 1) * width - 1]! - model.base_value));
        columns.forEach((own, feature) => { worst = Math.max(worst, Math.abs(out[row * features + feature]! - own.reduce((sum, column) => sum + expected[row * width + column]!, 0))); });
        byScore = Math.max(byScore, Math.abs(model.scoreOf(marginOf(model.base_value, out, row * features, features)) - served[row]!));
      }
      t.ok(worst <= 1e-5, `${name} ${JSON.stringify(changes)}, ${calibration.method}: largest difference of a contribution ${worst}`);
      t.ok(byScore <= 1e-5, `with base value and calibration they come to the score: largest difference ${byScore}`);
      if (calibration.method === 'none') t.comment(`${name} ${JSON.stringify(changes)}: ${worst}`);
      if (calibration.method === 'platt') t.ok(calibrateAll(calibration, scores).every((score, i) => Math.abs(score - served[i]!) < 1e-5));
    }
  }
  t.same([...new Set(SHAPES.map(([name]) => name))].sort(), [...FAMILIES].sort());
});
