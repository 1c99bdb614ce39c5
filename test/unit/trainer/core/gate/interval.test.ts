import t from 'tap';
import { expandedLevel, normalCdf, normalQuantile, percentileInterval, quantileOf } from '../../../../../trainer/core/gate/interval.js';

t.test('the normal distribution as tables have it', async (t) => {
  for (const [z, p] of [[-3, 0.0013499], [-1.959964, 0.025], [-1.644854, 0.05], [0, 0.5], [1.281552, 0.9], [2.326348, 0.99]] as const) {
    t.ok(Math.abs(normalCdf(z) - p) < 2e-7, `Φ(${z})`);
    t.ok(Math.abs(normalQuantile(p) - z) < 1e-4, `quantile of ${p}`);
  }
});

t.test('levels are widened as Hesterberg’s table has it', async (t) => {
  // table 7 of the paper: half of 5 %, for n of 5, 10, 20, 40, 80
  for (const [n, level] of [[10, 0.0086], [20, 0.0159], [40, 0.0203], [80, 0.0226]] as const)
    t.ok(Math.abs(expandedLevel(0.025, n) - level) < 0.0003, `n = ${n}: ${expandedLevel(0.025, n)}, the table has ${level}`);
  t.ok(Math.abs(expandedLevel(0.05, 100_000) - 0.05) < 1e-4);
});

t.test('quantiles: linear between neighbours, at most the outermost draw, undefined draws left out', async (t) => {
  t.equal(quantileOf([1, 2, 3, 4], 0.5), 2.5);
  t.equal(quantileOf([10, 20, 30], 0.25), 10);
  t.equal(quantileOf([10, 20], 0.01), 10);
  t.equal(quantileOf([10, 20], 0.99), 20);
  t.ok(Number.isNaN(quantileOf([], 0.5)));
  t.strictSame(percentileInterval(2, [NaN, 3, 1, 2], 0.25, 1e9), { value: 2, low: 1, high: 3 });
});
