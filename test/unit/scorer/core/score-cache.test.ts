import t from 'tap';
import { createPayback, REST_WINDOWS } from '../../../../scorer/core/payback.js';
import { createScoreCache } from '../../../../scorer/core/score-cache.js';
import { seeded, seedOf } from '../../../support/random.js';

const F = 5;
const rowOf = (...values: number[]): Float32Array => Float32Array.from({ length: F }, (_, i) => values[i] ?? 0);

t.test('what is found: exactly the row that was put, as float32', async (t) => {
  const otherNan = rowOf(1);
  new Uint32Array(otherNan.buffer)[1] = 0xffc00001;
  const cases: [string, put: Float32Array, find: Float32Array, found: boolean][] = [
    ['the same', rowOf(1, 2, 3), rowOf(1, 2, 3), true],
    ['all zeros', rowOf(), rowOf(), true],
    ['another last value', rowOf(1, 2, 3, 4, 5), rowOf(1, 2, 3, 4, 6), false],
    ['the same values in another order', rowOf(1, 2), rowOf(2, 1), false],
    ['doubles that are one float32', rowOf(0.1), rowOf(Math.fround(0.1)), true],
    ['the next float32', rowOf(1), rowOf(1 + 2 ** -23), false],
    ['missing', rowOf(1, NaN), rowOf(1, NaN), true],
    ['missing, by other bits', rowOf(1, NaN), otherNan, true],
    ['missing and 0', rowOf(1, NaN), rowOf(1, 0), false],
    ['0 and -0, of which 1/x is not the same', rowOf(0), rowOf(-0), false],
  ];
  for (const [name, put, find, found] of cases) {
    const cache = createScoreCache(8, F);
    t.ok(Number.isNaN(cache.find(put, 0)), `${name}: nothing at first`);
    cache.put(put, 0, 0.25);
    t.strictSame([cache.find(find, 0)], [found ? 0.25 : NaN], name);
    cache.clear();
    t.ok(Number.isNaN(cache.find(put, 0)), `${name}: cleared`);
  }
});

t.test('rows are read where they stand, the longest kept makes room, a row put again keeps its place', async (t) => {
  const cache = createScoreCache(4, F);
  const matrix = new Float32Array(6 * F);
  for (let row = 0; row < 6; row++) matrix.fill(row, row * F, (row + 1) * F);
  for (const row of [0, 1, 2, 3]) cache.put(matrix, row * F, row / 10);
  cache.put(matrix, 0, 0.05);
  const kept = (): number[] => [0, 1, 2, 3, 4, 5].map((row) => cache.find(matrix, row * F));
  t.strictSame(kept(), [0.05, 0.1, 0.2, 0.3, NaN, NaN]);
  cache.put(matrix, 4 * F, 0.4);
  t.strictSame(kept(), [NaN, 0.1, 0.2, 0.3, 0.4, NaN]);
  cache.put(matrix, 5 * F, 0.5);
  t.strictSame(kept(), [NaN, NaN, 0.2, 0.3, 0.4, 0.5]);
});

t.test('random histories: a score that is found is the one put last for that row, and no more are kept than there are places', async (t) => {
  const random = seeded(seedOf(20));
  t.comment(`seed ${random.seed}`);
  for (const [places, domain] of [[1, 2], [64, 2], [64, 4], [1024, 4]] as const) {
    const cache = createScoreCache(places, F);
    let oracle = new Map<string, number>();
    const rows = Array.from({ length: domain ** F }, (_, n) => rowOf(...Array.from({ length: F }, (_, i) => [NaN, 0, 1, -0.5][Math.floor(n / domain ** i) % domain]!)));
    const nameOf = (row: Float32Array): string => row.join(' ');
    let found = 0;
    for (let step = 0; step < 20_000; step++) {
      const row = random.pick(rows);
      if (random.chance(0.0005)) {
        cache.clear();
        oracle = new Map();
      } else if (random.chance(0.4)) {
        const score = random();
        cache.put(row, 0, score);
        oracle.set(nameOf(row), score);
        if (cache.find(row, 0) !== score) t.fail('what was just put is there');
      } else {
        const score = cache.find(row, 0);
        if (Number.isNaN(score)) continue;
        found++;
        if (score !== oracle.get(nameOf(row))) t.fail(`${nameOf(row)}: ${score}, expected ${oracle.get(nameOf(row))}`);
      }
    }
    t.ok(found > (places === 1 ? 100 : 500), `${places} places, ${rows.length} rows: ${found} found`);
    const kept = rows.filter((row) => !Number.isNaN(cache.find(row, 0))).length;
    t.ok(kept <= Math.max(4, places), `${kept} kept in ${places} places`);
    if (rows.length >= 4 * places) t.equal(kept, Math.max(4, places), 'every place is used');
  }
});

t.test('rows that share a hash are told apart: among 300,000 rows some ten pairs do', async (t) => {
  const random = seeded(seedOf(3));
  const cache = createScoreCache(1_000_000, F);
  const rows = 300_000;
  const matrix = Float32Array.from({ length: rows * F }, () => random.below(1000));
  for (let row = 0; row < rows; row++) {
    const before = cache.find(matrix, row * F);
    if (!Number.isNaN(before)) t.fail(`row ${row} was never put, and has the score of row ${before * rows}`);
    cache.put(matrix, row * F, row / rows);
  }
});

t.test('rows like a shop’s spread over the sets', async (t) => {
  const cache = createScoreCache(4096, F);
  const rows = Array.from({ length: 2048 }, (_, n) => rowOf(n % 64, Math.floor(n / 64), 0, 1, NaN));
  for (const row of rows) cache.put(row, 0, 0.5);
  const kept = rows.filter((row) => cache.find(row, 0) === 0.5).length;
  t.ok(kept > 1850, `${kept} of 2048 small whole numbers stand in 4096 places (a random hash keeps about 1,950)`);
});

t.test('looked up while it pays: hits × what a row costs against the time of looking', async (t) => {
  const cases: [string, hits: number, lookMs: number, modelMs: number, on: boolean][] = [
    ['no hits', 0, 0.1, 10, false],
    ['a hit in ten, a row costs ten times a look', 10, 1, 9, true],
    ['just below', 10, 1.01, 9, false],
    ['a cheap model and many hits', 50, 1, 0.9, false],
    ['only hits', 100, 1, 0, true],
  ];
  for (const [name, hits, lookMs, modelMs, on] of cases) {
    const payback = createPayback(100);
    t.ok(payback.worthwhile(100), `${name}: it begins by looking`);
    payback.note(99, 0, 0, 0);
    t.ok(payback.worthwhile(1), `${name}: and decides nothing before the window is full`);
    payback.restart();
    payback.note(60, hits, lookMs, modelMs);
    payback.note(40, 0, 0, 0);
    t.equal(payback.worthwhile(1), on, name);
  }
});

t.test('after a window in vain it rests, then looks again', async (t) => {
  const payback = createPayback(100);
  payback.note(100, 0, 1, 10);
  let rested = 0;
  while (!payback.worthwhile(10)) rested += 10;
  t.equal(rested, 100 * REST_WINDOWS);
  payback.note(100, 90, 1, 10);
  t.ok(payback.worthwhile(10));
  payback.note(100, 0, 1, 10);
  t.notOk(payback.worthwhile(10));
  payback.restart();
  t.ok(payback.worthwhile(10), 'another model: nothing is known');
});
