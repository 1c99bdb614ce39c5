import t from 'tap';
import { loadSettings } from '../../../runtime/settings.js';
import { sha256Of } from '../../../runtime/models/assemble.js';
import { calibrateAll, fitIsotonic, fitPlatt, type Calibration } from '../../../trainer/core/calibration.js';
import { rocAuc } from '../../../trainer/core/metrics.js';
import { familyOf } from '../../../trainer/families/all.js';
import { FAMILIES } from '../../../trainer/families/family.js';
import { calibrationPart } from '../../../trainer/onnx/calibration.js';
import { buildModel, joined, OUTPUT_NAME } from '../../../trainer/onnx/graph.js';
import { checkOnnx } from '../../../trainer/onnx/run.js';
import { asMatrixRows, type LabelledRows } from '../../../trainer/rows.js';
import { fitFamily, type Fitted } from '../../../trainer/select/fit.js';
import { foldRowsOf } from '../../../trainer/select/fold-rows.js';
import { select, type SelectOptions } from '../../../trainer/select/select.js';
import { loadXgboost } from '../../../trainer/xgboost/library.js';
import { TEST_JARS_DIR } from '../../support/cluster.js';
import { randomRows } from '../../support/random-rows.js';

const SEED = Number(process.env['SEED'] ?? 20260301);
const DAY_MS = 86_400_000;
t.setTimeout(300_000);
t.comment(`SEED=${SEED}`);
const library = await loadXgboost(loadSettings({ JARS_DIR: TEST_JARS_DIR }));
const context = { library, threads: 2, seed: 7 };

/** Rows over a hundred days, 40 of each customer. */
function labelled(seed: number, rows: number, columns: number): LabelledRows {
  const data = randomRows(seed, rows, columns);
  return {
    feature_names: Array.from({ length: columns }, (_, i) => `f${i}`), rows, values: data.values, labels: data.labels,
    at: Float64Array.from({ length: rows }, (_, i) => 1 + (i / rows) * 100 * DAY_MS), on_event: new Uint8Array(rows), customer: Uint32Array.from({ length: rows }, (_, i) => i % (rows / 40)),
  };
}
const onnxOf = (fitted: Fitted, calibration: Calibration, columns: number): Buffer =>
  buildModel('test', columns, joined(fitted.part('uncalibrated'), calibrationPart(calibration, 'uncalibrated', OUTPUT_NAME)), {});

t.test('every family and calibration gives in ONNX Runtime what the library gives, on rows it never saw', async (t) => {
  for (const name of FAMILIES)
    for (const columns of [4, 19]) {
      const family = familyOf(name);
      const train = labelled(SEED + columns, 2000, columns);
      const unseen = labelled(SEED + 100 + columns, 1500, columns);
      // What no training row was like: far outside, all zero, all missing.
      unseen.values.set(Array.from({ length: columns }, (_, i) => (i % 2 === 0 ? 1e9 : -1e9)), 0);
      unseen.values.fill(0, columns, 2 * columns);
      unseen.values.fill(NaN, 2 * columns, 3 * columns);
      const fitted = await fitFamily(family, train, { hyper: family.starts(train.rows)[0], rounds: name === 'xgboost' ? 60 : family.rounds(family.starts(train.rows)[0]).most }, context);
      const scores = await fitted.predict(unseen);
      t.ok(rocAuc(unseen.labels, scores) > 0.62, `${name}: AUC ${rocAuc(unseen.labels, scores)}`);
      t.equal(fitted.importances.length, columns);
      t.ok(Math.abs(fitted.importances.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
      for (const calibration of [{ method: 'none' } as const, fitPlatt({ labels: unseen.labels, scores }), fitIsotonic({ labels: unseen.labels, scores })]) {
        const difference = await checkOnnx(onnxOf(fitted, calibration, columns), unseen.values, unseen.rows, columns, calibrateAll(calibration, scores));
        t.ok(difference <= 1e-5, `${name} with ${columns} features, ${calibration.method}: largest difference ${difference}`);
      }
      fitted.free();
    }
});

t.test('a forest is the mean of its trees, each leaf the churn rate of its rows', async (t) => {
  const rows = labelled(SEED + 7, 3000, 5);
  const family = familyOf('random_forest');
  const fitted = await fitFamily(family, rows, { hyper: { trees: 1, max_depth: 1, min_child_weight: 20, subsample: 1, features_share: 1 }, rounds: 1 }, context);
  const scores = await fitted.predict(rows);
  const leaves = new Map<number, { rows: number; churned: number }>();
  scores.forEach((score, i) => {
    const leaf = leaves.get(score) ?? { rows: 0, churned: 0 };
    leaves.set(score, { rows: leaf.rows + 1, churned: leaf.churned + rows.labels[i]! });
  });
  t.equal(leaves.size, 2);
  for (const [score, { rows: count, churned }] of leaves) t.ok(Math.abs(score - churned / count) < 1e-5, `${score}, ${churned} of ${count}`);
  fitted.free();
});

const plan = { train: { after: 0, to: 80 * DAY_MS }, holdout: { after: 90 * DAY_MS, to: 100 * DAY_MS }, step_ms: DAY_MS, horizon_ms: 10 * DAY_MS };
const options = (over: Partial<SelectOptions> = {}): SelectOptions => ({ ...context, families: FAMILIES, metric: 'log_loss', trials: 2, fixed: {}, ...over });

t.test('the search is the same each time, and the same data and seed give the same bytes', async (t) => {
  const rows = labelled(SEED + 11, 2000, 8);
  const folds = foldRowsOf(rows, plan);
  t.ok(folds.length >= 3, `${folds.length} folds`);
  const bytes = async (over: Partial<SelectOptions> = {}): Promise<string> => {
    const given = options(over);
    const chosen = await select(rows, folds, given);
    const fitted = await fitFamily(chosen.family, rows, chosen, given);
    try {
      return sha256Of(onnxOf(fitted, chosen.calibration.calibration, 8));
    } finally {
      fitted.free();
    }
  };
  for (const family of FAMILIES) {
    const first = await bytes({ families: [family] });
    t.equal(await bytes({ families: [family], threads: 1 }), first, `${family}, with another number of threads too`);
    if (family !== 'logistic_regression') t.not(await bytes({ families: [family], seed: 8 }), first, `${family} with another seed`);
  }
});

t.test('the best family by the metric is chosen; what is fixed is not searched; progress is told', async (t) => {
  const rows = labelled(SEED + 13, 2000, 8);
  const folds = foldRowsOf(rows, plan);
  const told: string[] = [];
  const chosen = await select(rows, folds, options({ fixed: { max_depth: 3, rounds_max: 40 }, onTrial: ({ family, trial, trials }) => told.push(`${family} ${trial}/${trials}`) }));
  t.equal(chosen.results.length, 3);
  t.equal(chosen.family.name, chosen.results[0]!.family);
  t.ok(chosen.results.every(({ value }, i) => i === 0 || value >= chosen.results[i - 1]!.value));
  const boosted = chosen.results.find(({ family }) => family === 'xgboost')!;
  t.equal(boosted.hyper['max_depth'], 3);
  t.ok(boosted.rounds <= 40);
  t.ok(told.includes('xgboost 2/2') && told.includes('random_forest 1/2'), told.join(', '));
  const byRank = await select(rows, folds, options({ metric: 'auc' }));
  t.ok(byRank.results.every(({ value }, i) => i === 0 || value <= byRank.results[i - 1]!.value), 'of AUC more is better');
});

t.test('without folds it is the first family as it starts, not calibrated', async (t) => {
  const rows = labelled(SEED + 17, 600, 4);
  t.same(foldRowsOf(rows, { ...plan, horizon_ms: 79 * DAY_MS }), []);
  const chosen = await select(rows, [], options({ families: ['random_forest', 'xgboost'] }));
  t.match(chosen, { family: { name: 'random_forest' }, rounds: 1, calibration: { calibration: { method: 'none' } }, results: [] });
  t.equal((await select(rows, [], options({ fixed: { rounds_max: 12 } }))).rounds, 12);
  t.equal(asMatrixRows(rows).rows, 600);
});
