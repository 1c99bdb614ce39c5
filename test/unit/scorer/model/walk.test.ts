import t from 'tap';
import { ORT_RUNTIME, TREES_RUNTIME } from '../../../../runtime/models/scoring-runtime.js';
import { openSession, type ScoringSession } from '../../../../runtime/models/session.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { loadModel } from '../../../../scorer/model/load.js';
import { openKnownWalk, openWalk, WALK_TOLERANCE } from '../../../../scorer/model/walk.js';
import { onnxFromXgboost } from '../../../../trainer/onnx/from-xgboost.js';
import { boostedTrees, perceptron } from '../../../support/foreign-models.js';
import { logisticModel } from '../../../support/onnx.js';
import { seeded, seedOf } from '../../../support/random.js';
import { stumpModel, type Stump } from '../../../support/tree-model.js';

const SEED = seedOf(20261202);
t.comment(`SEED=${SEED}`);
const F = view.features.length;

const stumps = (count: number): Stump[] => {
  const random = seeded(SEED);
  return Array.from({ length: count }, () => ({ feature: random.below(F), at: Math.fround(random() * 10), weights: [Math.fround(random.normal() / 4), Math.fround(random.normal() / 4)], cover: [1 + random.below(9), 1 + random.below(9)] }));
};

function scoresOf(session: ScoringSession, rows: Float32Array): Float64Array {
  const out = new Float64Array(rows.length / session.featureCount);
  session.score(rows, out.length, out, 0);
  return out;
}

async function walkOf(onnx: Uint8Array, width: number): Promise<{ walk: ScoringSession; reference: ScoringSession }> {
  const reference = openSession(onnx, width, 'test');
  const walk = await openWalk(onnx, reference);
  if (typeof walk === 'string') throw new Error(walk);
  return { walk, reference };
}

t.test('a walk scores as ONNX Runtime does, and the same wherever it is opened', async (t) => {
  for (const [what, onnx, width] of [['the trainer’s', stumpModel(view, 'v1', stumps(40)).onnx, F], ['another exporter’s', boostedTrees.onnx, 3]] as const) {
    const { walk, reference } = await walkOf(onnx, width);
    const random = seeded(SEED + 1);
    const rows = Float32Array.from({ length: 2000 * width }, () => (random.chance(0.1) ? NaN : random() * 12 - 1));
    const [scores, expected] = [scoresOf(walk, rows), scoresOf(reference, rows)];
    t.ok(scores.every((score, i) => Math.abs(score - expected[i]!) <= WALK_TOLERANCE), what);
    t.ok(new Set(scores).size > 3, 'the rows differ');
    t.same(scoresOf(openKnownWalk(onnx, width), rows), scores);
    t.same([walk.runtime, reference.runtime], [TREES_RUNTIME, ORT_RUNTIME]);
    reference.release();
  }
});

t.test('what is not read, and what scores otherwise, is left to ONNX Runtime with the reason', async (t) => {
  const { onnx } = stumpModel(view, 'v1', stumps(40));
  const real = openSession(onnx, F, 'test');
  const bent: ScoringSession = { ...real, score(matrix, rows, out, at) { real.score(matrix, rows, out, at); out[at + 300]! += 2 * WALK_TOLERANCE; } };
  t.match(await openWalk(onnx, bent), /^its trees come to .* where ONNX Runtime scores/);
  t.match(await openWalk(perceptron.onnx, { ...real, featureCount: 3 }), /it is made of .*Gemm|it is made of .*MatMul/);
  t.match(await openWalk(Buffer.from('hello'), real), /./);
  const cut = onnx.subarray(0, onnx.length - 200);
  t.type(await openWalk(cut, real), 'string', 'a file that ends early');
  real.release();
});

/** Nearly all rows leave at its first step; a walk goes to its end. */
const chain = (depth: number): object => {
  const nodes = Array.from({ length: 2 * depth + 1 }, (_, i) => ({ leaf: i % 2 === 1 || i === 2 * depth, i }));
  return {
    left_children: nodes.map(({ leaf, i }) => (leaf ? -1 : i + 1)), right_children: nodes.map(({ leaf, i }) => (leaf ? -1 : i + 2)),
    split_indices: nodes.map(() => 0), split_conditions: nodes.map(({ leaf, i }) => (leaf ? 0.001 : 1e6 + i)), default_left: nodes.map(() => 1), loss_changes: nodes.map(() => 1), sum_hessian: nodes.map(() => 1),
  };
};

t.test('a model is scored by its trees where that costs less, else by ONNX Runtime', async (t) => {
  const trees = await loadModel(stumpModel(view, 'v1', stumps(40)), view);
  t.equal(trees.session.runtime, TREES_RUNTIME);
  t.equal(trees.not_walked, undefined);
  const linear = await loadModel(logisticModel(view, 'v2', 1), view);
  t.equal(linear.session.runtime, ORT_RUNTIME);
  t.match(linear.not_walked, /it is made of/);
  const { manifest } = stumpModel(view, 'v3', []);
  const names = view.features.map(({ name }) => name);
  const onnx = onnxFromXgboost(JSON.stringify({
    learner: {
      learner_model_param: { base_score: '5E-1', num_class: '0', num_feature: String(F) }, objective: { name: 'binary:logistic' },
      gradient_booster: { name: 'gbtree', model: { trees: Array.from({ length: 20 }, () => chain(1000)) } },
    },
  }), names, 'v3');
  const deep = await loadModel({ onnx, manifest: { ...manifest, test_outputs: manifest.test_outputs.map(() => 1 / (1 + Math.exp(-0.02))) } }, view);
  t.equal(deep.session.runtime, ORT_RUNTIME);
  t.match(deep.not_walked, /a row costs [\d.]+ µs by its trees and [\d.]+ by ONNX Runtime/);
  for (const { session } of [trees, linear, deep]) session.release();
});
