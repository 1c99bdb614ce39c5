import t from 'tap';
import { probabilityOf, type TreeModel } from '../../../../schemas/onnx/tree-model.js';
import { LEAF, type Trees } from '../../../../schemas/onnx/trees.js';
import { edgeRows } from '../../../../scorer/core/edge-rows.js';
import { floatAfter, floatBefore } from '../../../../scorer/core/floats.js';
import { compactTrees, createTreeWalk } from '../../../../scorer/core/tree-walk.js';
import { seeded, seedOf } from '../../../support/random.js';
import { randomTrees, takesYes } from '../../../support/shapley-oracle.js';

const SEED = seedOf(20261201);
t.comment(`SEED=${SEED}`);
const none: TreeModel['calibration'] = { method: 'none', apply: (p) => p };

/** Node by node, in float32 and the trees' order. */
function scoreOf(trees: Trees, row: readonly number[], logistic: boolean): number {
  let sum = 0;
  for (const root of trees.roots) {
    let at = root;
    while (trees.mode[at] !== LEAF) at = takesYes(trees, at, Math.fround(row[trees.feature[at]!]!)) ? trees.yes[at]! : trees.no[at]!;
    sum = Math.fround(sum + Math.fround(trees.weight[at]!));
  }
  return Math.fround(probabilityOf(Math.fround(sum + Math.fround(trees.base)), logistic));
}

t.test('a walk comes to the score of the trees, to the bit', async (t) => {
  let rows = 0;
  for (let round = 0; round < 300; round++) {
    const random = seeded(SEED + round);
    const features = 1 + random.below(6);
    const trees = randomTrees(random, { trees: random.below(12), depth: random.below(9), features });
    const logistic = random.chance(0.7);
    const compact = compactTrees(trees, undefined, features);
    const walk = createTreeWalk(compact, features, { logistic, calibration: none });
    const own = Array.from({ length: 16 * features }, () => random.pick([NaN, Infinity, -Infinity, -0, random.below(6), random.below(6) - 0.5, 3e38, -3e38]));
    const matrix = Float32Array.from([...own, ...edgeRows(compact, features, 16)]);
    const count = matrix.length / features;
    const out = new Float64Array(count + 1).fill(-1);
    walk.score(matrix, count, out, 1);
    t.equal(out[0], -1);
    for (let i = 0; i < count; i++, rows++) {
      const expected = scoreOf(trees, [...matrix.subarray(i * features, (i + 1) * features)], logistic);
      if (out[i + 1] !== expected) t.fail(`round ${round} row ${i}: ${out[i + 1]}, expected ${expected}`);
    }
  }
  t.ok(rows > 9000, `${rows} rows`);
});

t.test('an imported model takes its own columns', async (t) => {
  const trees = randomTrees(seeded(SEED), { trees: 5, depth: 5, features: 3 });
  const columns = Float64Array.of(6, 0, 3);
  const walk = createTreeWalk(compactTrees(trees, columns, 8), 8, { logistic: true, calibration: none });
  const random = seeded(SEED + 1);
  const out = new Float64Array(1);
  for (let i = 0; i < 50; i++) {
    const row = Array.from({ length: 8 }, () => (random.chance(0.2) ? NaN : random.below(6)));
    walk.score(Float32Array.from(row), 1, out, 0);
    t.equal(out[0], scoreOf(trees, [...columns].map((column) => row[column]!), true));
  }
});

t.test('what cannot be walked is refused', async (t) => {
  const trees = randomTrees(seeded(SEED), { trees: 3, depth: 4, features: 3 });
  t.throws(() => compactTrees(trees, undefined, 1), { message: /looks at column [12] for/ }, 'a column beyond the row');
  t.throws(() => compactTrees(trees, undefined, 600), { message: /rows have 600 values/ }, 'too wide a row');
  t.throws(() => compactTrees({ ...trees, threshold: trees.threshold.map(() => Infinity) }, undefined, 3), { message: /for Infinity/ }, 'a threshold beyond all values');
});

t.test('edge rows stand on thresholds, beside them, and are missing', async (t) => {
  const trees = randomTrees(seeded(SEED + 2), { trees: 8, depth: 6, features: 4 });
  const rows = edgeRows(compactTrees(trees, undefined, 4), 4, 512);
  const near = new Set([...trees.threshold].flatMap((at) => [at, floatAfter(at), floatBefore(at)]));
  t.ok([...rows].filter((value) => near.has(value)).length > 900);
  t.ok([...rows].filter(Number.isNaN).length > 250);
  t.same(rows, edgeRows(compactTrees(trees, undefined, 4), 4, 512), 'the same again');
  for (const value of [0, -0, 1, -1, 1e-45, -1e-45, 3.4028234663852886e38, 0.1].map(Math.fround)) {
    t.ok(floatAfter(value) > value && floatBefore(value) < value, String(value));
    if (Number.isFinite(floatAfter(value))) t.equal(floatBefore(floatAfter(value)), value === 0 ? 0 : value);
  }
});
