import t from 'tap';
import { foldsOf, groupOf, sideOf, CUSTOMER_GROUPS } from '../../../../trainer/core/folds.js';
import { isShortage, planSnapshots } from '../../../../trainer/core/plan.js';
import { random } from '../../../support/random.js';

const DAY_MS = 86_400_000;

t.test('no customer and no future leaks across a fold, whatever the history', async (t) => {
  const seed = 17;
  const next = random(seed);
  let held = 0;
  for (let round = 0; round < 200; round++) {
    const first = Date.UTC(2026, 0, 1);
    const horizon_days = 1 + Math.floor(next() * 60);
    const plan = planSnapshots({ first, watermark: first + next() * 500 * DAY_MS, horizon_days, step_days: 0, holdout_days: 0 });
    if (isShortage(plan)) continue;
    const rows = Array.from({ length: 400 }, () => ({ customer: Math.floor(next() * 50), at: plan.train.after + next() * (plan.holdout.to - plan.train.after) }));
    for (const rotate of [false, true])
      for (const fold of foldsOf(plan.train, plan.horizon_ms, rotate)) {
        held++;
        const side = (wanted: string): typeof rows => rows.filter(({ at, customer }) => sideOf(fold, at, customer) === wanted);
        const [train, validation] = [side('train'), side('validation')];
        const where = `seed ${seed}, round ${round}, window ${fold.window}, group ${fold.group}`;
        const known = new Set(train.map(({ customer }) => customer));
        if (validation.some(({ customer }) => known.has(customer))) t.fail(`${where}: a customer stands on both sides`);
        // The label of a row is known only a horizon after it: every one trained on was, when validation begins.
        const labelled = Math.max(...train.map(({ at }) => at + plan.horizon_ms));
        if (!(labelled <= Math.min(...validation.map(({ at }) => at)))) t.fail(`${where}: a training label reaches into the validation`);
        if (validation.some(({ at }) => at + plan.horizon_ms > plan.holdout.after)) t.fail(`${where}: a validation label reaches into the holdout`);
        if (![...train, ...validation].every(({ at }) => at > plan.train.after && at <= plan.train.to)) t.fail(`${where}: a row outside the training period`);
      }
  }
  t.ok(held > 500, `${held} folds held`);
});

t.test('windows expand and follow each other, the last ends with the training', async (t) => {
  const period = { after: 0, to: 130 * DAY_MS };
  const folds = foldsOf(period, 30 * DAY_MS, false);
  t.same(folds.map(({ window, group }) => [window, group]), [[0, 0], [1, 1], [2, 2]]);
  t.same(folds.map(({ train, validation }) => [train.to / DAY_MS, validation.after / DAY_MS, validation.to / DAY_MS]), [[40, 70, 90], [60, 90, 110], [80, 110, 130]]);
  t.equal(foldsOf(period, 30 * DAY_MS, true).length, 3 * CUSTOMER_GROUPS);
  t.same(foldsOf(period, 128 * DAY_MS, false), [], 'too short to choose by');
});

t.test('customers spread evenly over the groups', async (t) => {
  const counts = new Array<number>(CUSTOMER_GROUPS).fill(0);
  for (let customer = 0; customer < 30_000; customer++) counts[groupOf(customer)]!++;
  t.ok(counts.every((count) => Math.abs(count - 10_000) < 400), counts.join(', '));
});
