import t from 'tap';
import { gaussLegendre } from '../../../../../scorer/explain/core/quadrature.js';
import { compileTreeShap } from '../../../../../scorer/explain/core/tree-shap.js';
import { seeded, seedOf } from '../../../../support/random.js';
import { randomTrees, shapleyByDefinition } from '../../../../support/shapley-oracle.js';

const SEED = seedOf(20260411);
t.comment(`SEED=${SEED}`);

t.test('the integral of a polynomial is exact up to degree 2n - 1', async (t) => {
  for (let n = 1; n <= 20; n++) {
    const { points, weights } = gaussLegendre(n);
    for (let degree = 0; degree < 2 * n; degree++) {
      const integral = points.reduce((sum, point, i) => sum + weights[i]! * point ** degree, 0);
      if (Math.abs(integral - 1 / (degree + 1)) > 1e-14) t.fail(`${n} points, degree ${degree}: ${integral}`);
    }
    t.ok(points.every((point) => point > 0 && point < 1));
  }
});

t.test('contributions are Shapley’s values by their definition', async (t) => {
  let worst = 0;
  for (let round = 0; round < 150; round++) {
    const random = seeded(SEED + round);
    const features = 1 + random.below(6);
    const trees = randomTrees(random, { trees: 1 + random.below(4), depth: random.below(9), features });
    const shap = compileTreeShap(trees);
    const out = new Float64Array(features);
    for (let n = 0; n < 8; n++) {
      const row = Array.from({ length: features }, () => (random.chance(0.2) ? NaN : random.below(6) - 0.5 * random.below(2)));
      const oracle = shapleyByDefinition(trees, features, row);
      out.fill(0);
      shap.addTo(Float32Array.from([7, ...row]), 1, out);
      worst = Math.max(worst, Math.abs(shap.expected - oracle.base), ...oracle.values.map((value, i) => Math.abs(value - out[i]!)));
    }
  }
  t.ok(worst < 1e-12, `largest difference ${worst}`);
});
