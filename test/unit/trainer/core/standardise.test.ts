import t from 'tap';
import { fitStandardisation, standardise, widthOf } from '../../../../trainer/core/standardise.js';

t.test('features are centred and scaled, what is missing is the mean and says so', async (t) => {
  const values = Float32Array.of(1, 10, 5, /**/ 3, NaN, 5, /**/ 5, 30, 5);
  const fitted = fitStandardisation(values, 3, 3);
  t.same(fitted.missing, [1]);
  t.same([...fitted.mean], [3, 20, 5]);
  t.equal(fitted.deviation[2], 1, 'a constant is not divided by nothing');
  t.equal(widthOf(fitted), 4);
  const out = standardise(fitted, values, 3);
  const near = (got: number, want: number): boolean => Math.abs(got - want) < 1e-6;
  t.ok(near(out[0]!, -2 / Math.sqrt(8 / 3)) && near(out[1]!, -1) && out[2] === 0);
  t.equal(out[4 + 1], 0, 'row 1 misses the second feature');
  t.ok(near(out[4 + 3]!, 1 / Math.sqrt(2 / 9)), 'and says so, with the deviation of the other columns');
  t.same([out[3], out[8 + 3]], [0, 0]);
});

t.test('one absurd value is bounded', async (t) => {
  const values = Float32Array.from({ length: 100 }, (_, i) => i % 10);
  const fitted = fitStandardisation(values, 100, 1);
  t.same([...standardise(fitted, Float32Array.of(1e9, -1e9), 2)].map((value) => Math.abs(value)), [8, 8]);
  const rare = Float32Array.from({ length: 100_000 }, (_, i) => (i === 7 ? NaN : i % 10));
  t.equal(standardise(fitStandardisation(rare, rare.length, 1), Float32Array.of(NaN), 1)[1], 8, 'so is what hardly ever misses');
});
