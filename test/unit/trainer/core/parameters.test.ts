import t from 'tap';
import { resolveParameters, SEED } from '../../../../trainer/core/parameters.js';

t.test('the seed stands apart, the rest is what every trial keeps', async (t) => {
  t.same(resolveParameters(), { seed: SEED, fixed: {} });
  t.same(resolveParameters({ max_depth: 6, seed: 11, rounds_max: 20 }), { seed: 11, fixed: { max_depth: 6, rounds_max: 20 } });
});

t.test('every problem is listed at once', async (t) => {
  t.match(resolveParameters({ max_dept: 3, learning_rate: 2, max_depth: 2.5, subsample: NaN, constructor: 1 }), {
    problems: [/max_dept: unknown, expected one of rounds_max/, /learning_rate: 2, expected 0\.0001 to 1/, /max_depth: 2\.5, expected a whole number/, /subsample: NaN/, /constructor: unknown/],
  });
});
