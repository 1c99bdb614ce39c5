import t from 'tap';
import { chooseTestVectors } from '../../../../trainer/core/test-vectors.js';
import { randomRows } from '../../../support/random-rows.js';

t.test('every missing feature and every extreme is among the vectors, and nothing twice', async (t) => {
  const { values, rows, columns } = randomRows(9, 500, 12);
  const { inputs, rows: chosen } = chooseTestVectors(values, rows, columns);
  t.equal(inputs.length, chosen.length + 2);
  t.equal(new Set(chosen).size, chosen.length);
  t.ok(inputs.length <= 24 + 2 * columns + 2);
  for (let column = 0; column < columns; column++) {
    const all = Array.from({ length: rows }, (_, row) => values[row * columns + column]!);
    const some = inputs.slice(0, -2).map((input) => input[column]!);
    t.equal(some.some((value) => value === null), all.some(Number.isNaN), `missing in column ${column}`);
    t.equal(Math.max(...some.filter((value) => value !== null)), Math.max(...all.filter((value) => !Number.isNaN(value))));
  }
  t.same(inputs.at(-1), new Array(columns).fill(null));
  t.same(inputs.at(-2), new Array(columns).fill(0));
});

t.test('fewer rows than wanted are all taken', async (t) => {
  const { rows } = chooseTestVectors(Float32Array.of(1, 2, 3), 3, 1);
  t.same(rows, [0, 1, 2]);
});
