import t from 'tap';
import { bucketsOf } from '../../../../schemas/drift/buckets.js';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

t.test('few values are their own buckets, in shares', async (t) => {
  t.same(bucketsOf([0, 1, 7], [1, 1, 0], [0, 3, 1], 12), [
    { from: 0, to: 0, reference: 0.5, window: 0 }, { from: 1, to: 1, reference: 0.5, window: 0.75 }, { from: 7, to: 7, reference: 0, window: 0.25 },
  ]);
});

t.test('no values, one side without values', async (t) => {
  t.same(bucketsOf([], [], [], 12), []);
  t.same(bucketsOf([1, 2], [0, 0], [0, 0], 12), []);
  t.same(bucketsOf([1, 2], [0, 0], [1, 1], 12).map((one) => one.reference), [0, 0]);
});

t.test('many values: equal pieces, all rows kept, in order', async (t) => {
  const values = Array.from({ length: 500 }, (_, i) => i - 250);
  const buckets = bucketsOf(values, values.map(() => 2), values.map((value) => (value > 0 ? 1 : 0)), 10);
  t.equal(buckets.length, 10);
  t.ok(Math.abs(sum(buckets.map((one) => one.reference)) - 1) < 1e-12 && Math.abs(sum(buckets.map((one) => one.window)) - 1) < 1e-12);
  t.ok(buckets.every((one, i) => one.to > one.from && (i === 0 || Math.abs(one.from - buckets[i - 1]!.to) < 1e-9)));
  const widths = buckets.map((one) => one.to - one.from);
  t.ok(Math.max(...widths) - Math.min(...widths) < 1e-9, 'linear');
});

t.test('values that reach far are shown on a logarithmic axis; a far outlier does not squeeze the rest', async (t) => {
  const values = Array.from({ length: 300 }, (_, i) => 1.05 ** i);
  const buckets = bucketsOf(values, values.map(() => 1), values.map(() => 1), 10);
  t.ok(buckets[9]!.to - buckets[9]!.from > 100 * (buckets[1]!.to - buckets[1]!.from));
  const outlier = bucketsOf([...Array.from({ length: 1000 }, (_, i) => i), 1e9], Array.from({ length: 1001 }, () => 1), Array.from({ length: 1001 }, () => 1), 10);
  t.ok(outlier[9]!.to < 2000);
});
