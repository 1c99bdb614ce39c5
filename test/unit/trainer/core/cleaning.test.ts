import t from 'tap';
import { cleanRows, type CleanableRows } from '../../../../trainer/core/cleaning.js';

const rows = (list: readonly [customer: number, at: number, on_event: number, ...values: number[]][]): CleanableRows => ({
  feature_names: ['a', 'b'], rows: list.length, values: Float32Array.from(list.flatMap(([, , , ...values]) => values)), at: Float64Array.from(list, ([, at]) => at),
  on_event: Uint8Array.from(list, ([, , on_event]) => on_event), customer: Uint32Array.from(list, ([customer]) => customer),
});

t.test('what no model can use is left out, and counted by rule', async (t) => {
  const given = rows([[1, 10, 1, 3, NaN], [1, 10, 1, 3, NaN], [1, 10, 0, 3, NaN], [2, 10, 1, 3, NaN], [2, 11, 1, Infinity, 1], [2, 12, 1, 4, -Infinity], [2, 13, 1, 4, 1], [2, 13, 1, 5, 1]]);
  const { keeps, counts } = cleanRows(given, { inside: 17, held: 5 });
  t.same([...Array(8).keys()].filter(keeps), [0, 2, 3, 6, 7]);
  t.same(counts.map(({ rule, count }) => [rule, count]), [['quarantined', 17], ['held_over', 5], ['infinite', 2], ['repeated', 1]]);
});
