import t from 'tap';
import { resolveParameters, type TrainingParameters } from '../../../../trainer/core/parameters.js';

t.test('defaults follow the rows', async (t) => {
  const weights = [100, 1000, 10_000, 1_000_000].map((rows) => (resolveParameters(rows) as TrainingParameters).booster['min_child_weight']);
  t.same(weights, [1, 3, 30, 50]);
});

t.test('what is given replaces the defaults', async (t) => {
  const got = resolveParameters(1000, { max_depth: 6, seed: 11, rounds_max: 20 }) as TrainingParameters;
  t.same(got.depths, [6], 'a given depth is not chosen');
  t.same((resolveParameters(1000) as TrainingParameters).depths, [2, 4]);
  t.notOk('max_depth' in got.booster);
  t.equal(got.seed, 11);
  t.equal(got.rounds_max, 20);
  t.notOk('seed' in got.booster);
});

t.test('every problem is listed at once', async (t) => {
  t.match(resolveParameters(1000, { max_dept: 3, learning_rate: 2, max_depth: 2.5, subsample: NaN, constructor: 1 }), {
    problems: [/max_dept: unknown, expected one of rounds_max/, /learning_rate: 2, expected 0\.0001 to 1/, /max_depth: 2\.5, expected a whole number/, /subsample: NaN/, /constructor: unknown/],
  });
});
