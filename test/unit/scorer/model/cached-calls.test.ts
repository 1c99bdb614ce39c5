import t from 'tap';
import { createCachedCalls } from '../../../../scorer/model/cached-calls.js';
import type { LoadedModel } from '../../../../scorer/model/load.js';
import { seeded, seedOf } from '../../../support/random.js';

const F = 3;
const loaded = (version: string): LoadedModel => ({ manifest: { version }, chunkRows: 64 }) as LoadedModel;
/** Each version's own score of a row; rows that begin with 9 have none. */
const scoreOf = (version: string, first: number, second: number): number => (first === 9 ? NaN : (first * 10 + second + version.length * 100) / 1000);

/** Calls that say what they were asked for, on a clock that a row of the model takes 5 ms of and a look at the clock 1 ms. */
function scene({ cacheRows = 64, rowMs = 5 } = {}) {
  let current: LoadedModel | undefined = loaded('v');
  let by: LoadedModel | undefined;
  let at = 0;
  const asked: number[] = [];
  const observed: number[] = [];
  const cached = createCachedCalls({
    holder: { current: () => current }, featureCount: F, cacheRows, now: () => at++, observe: (rows) => observed.push(rows),
    calls: {
      score(matrix, rows, out) {
        const model = by ?? current;
        if (model === undefined) throw new Error('no model serves yet');
        asked.push(rows);
        at += rows * rowMs;
        for (let row = 0; row < rows; row++) out[row] = scoreOf(model.manifest.version, matrix[row * F]!, matrix[row * F + 1]!);
        return model;
      },
    },
  });
  return {
    cached, asked, observed,
    serve(model: LoadedModel | undefined, scoredBy?: LoadedModel): void { [current, by] = [model, scoredBy]; },
    /** Scores rows by their first two values. @returns version and scores */
    score(...rows: (readonly [number, number])[]): [string, number[]] {
      const out = new Float64Array(rows.length);
      const model = cached.score(Float32Array.from(rows.flatMap(([a, b]) => [a, b, 0])), rows.length, out);
      return [model.manifest.version, [...out]];
    },
  };
}

t.test('rows scored before are not sent to the model; scores stand where their rows do', async (t) => {
  const { score, asked, observed, cached } = scene();
  t.strictSame(score([1, 2], [3, 4]), ['v', [0.112, 0.134]]);
  t.strictSame(score([3, 4], [5, 6], [1, 2], [7, 8]), ['v', [0.134, 0.156, 0.112, 0.178]]);
  t.strictSame(score([7, 8], [5, 6]), ['v', [0.178, 0.156]]);
  t.strictSame(score([2, 2], [2, 2]), ['v', [0.122, 0.122]], 'twice in a chunk');
  t.strictSame(asked, [2, 2, 2]);
  t.strictSame(observed, asked);
  t.strictSame(cached.counts, { lookups: 10, hits: 4 });
});

t.test('a row without a score is asked for each time', async (t) => {
  const { score, asked } = scene();
  for (let i = 0; i < 3; i++) t.strictSame(score([9, 1], [1, 1]), ['v', [NaN, 0.111]]);
  t.strictSame(asked, [2, 1, 1]);
});

t.test('another model in service: nothing of the one before is told, nor of an equal version loaded again', async (t) => {
  const { score, serve, asked } = scene();
  score([1, 2]);
  serve(loaded('vv'));
  t.strictSame(score([1, 2]), ['vv', [0.212]]);
  const first = loaded('v');
  serve(first);
  t.strictSame(score([1, 2]), ['v', [0.112]]);
  serve(loaded('v'));
  score([1, 2]);
  t.strictSame(asked, [1, 1, 1, 1]);
});

t.test('scored by the model before it: the whole chunk is, and nothing of it is kept', async (t) => {
  const { score, serve, asked } = scene();
  const model = loaded('v');
  serve(model);
  score([1, 2]);
  serve(model, loaded('old'));
  t.strictSame(score([1, 2], [3, 4]), ['old', [0.312, 0.334]]);
  t.strictSame(score([1, 2]), ['v', [0.112]], 'what it scored itself is still its score');
  serve(model);
  t.strictSame(score([3, 4]), ['v', [0.134]]);
  t.strictSame(asked, [1, 1, 2, 1]);
});

t.test('without a model, and switched off', async (t) => {
  const none = scene();
  none.serve(undefined);
  t.throws(() => none.score([1, 2]), /no model serves/);
  const off = scene({ cacheRows: 0 });
  for (let i = 0; i < 3; i++) off.score([1, 2]);
  t.strictSame(off.asked, [1, 1, 1]);
  t.strictSame(off.cached.counts, { lookups: 0, hits: 0 });
});

t.test('a model that is cheaper than looking is asked, a dear one is not; rows that never come again are soon passed by', async (t) => {
  const shareLooked = (rowMs: number, distinct: number): number => {
    const { score, cached } = scene({ cacheRows: 16, rowMs });
    const rows = 20_000;
    for (let n = 0; n < rows; n++) score([n % distinct, Math.floor((n % distinct) / 8)]);
    return cached.counts.lookups / rows;
  };
  t.equal(shareLooked(100, 8), 1, 'dear, repeated');
  t.ok(shareLooked(100, 1000) < 0.11, 'dear, never repeated');
  t.ok(shareLooked(0, 300) < 0.11, 'cheap, never repeated');
});

t.test('random histories: every score is that of the version that the answer names', async (t) => {
  const random = seeded(seedOf(7));
  t.comment(`seed ${random.seed}`);
  const { score, serve, cached } = scene({ cacheRows: 32 });
  let wrong = 0;
  for (let step = 0; step < 3000; step++) {
    if (random.chance(0.01)) serve(loaded(random.pick(['v', 'vv', 'vvv'])), random.chance(0.3) ? loaded('older') : undefined);
    const rows = Array.from({ length: 1 + random.below(40) }, () => [random.below(10), random.below(10)] as const);
    const [version, scores] = score(...rows);
    if (!rows.every(([a, b], i) => Object.is(scores[i], scoreOf(version, a, b)))) wrong++;
  }
  t.equal(wrong, 0);
  t.ok(cached.counts.hits > 1000, `${cached.counts.hits} of ${cached.counts.lookups} found`);
});
