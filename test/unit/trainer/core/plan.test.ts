import t from 'tap';
import { isShortage, planSnapshots, within, type PlanInput, type SnapshotPlan } from '../../../../trainer/core/plan.js';
import { random } from '../../../support/random.js';

const DAY_MS = 86_400_000;
const day = (n: number): number => Date.UTC(2026, 0, 1) + n * DAY_MS;
const plan = (days: number, horizon_days: number, step_days = 0, holdout_days = 0): ReturnType<typeof planSnapshots> =>
  planSnapshots({ first: day(0), watermark: day(days), horizon_days, step_days, holdout_days } satisfies PlanInput);

t.test('a year of history with a month’s horizon', async (t) => {
  const got = plan(365, 30) as SnapshotPlan;
  t.equal(got.step_ms, 7 * DAY_MS, 'weekly, the widest step');
  t.equal(got.holdout.to, day(335), 'the last month has no labels yet');
  t.equal(got.train.after, day(30), 'the first month is warm-up');
  t.equal(got.holdout.after - got.train.to, 30 * DAY_MS);
});

t.test('no label window reaches over a border, whatever the history and the horizon', async (t) => {
  const seed = 5;
  const next = random(seed);
  let planned = 0;
  for (let round = 0; round < 500; round++) {
    const days = next() * 800;
    const horizon_days = 1 + Math.floor(next() * 120);
    const got = plan(days, horizon_days, 0, next() < 0.5 ? 0 : Math.ceil(next() * 400));
    const where = `seed ${seed}, round ${round}: ${days.toFixed(1)} days, horizon ${horizon_days}`;
    if (isShortage(got)) {
      const needed = Number(/needs (\d+)/.exec(got.shortage)![1]);
      if (!(days < needed)) t.fail(`${where}: refused, though ${needed} are said to do`);
      if (isShortage(plan(needed, horizon_days))) t.fail(`${where}: ${needed} days do not do`);
      continue;
    }
    planned++;
    const horizon_ms = horizon_days * DAY_MS;
    const periods = [got.train, got.holdout];
    if (periods.some(({ after, to }) => !(after < to))) t.fail(`${where}: an empty period`);
    if (!(got.train.to + horizon_ms <= got.holdout.after)) t.fail(`${where}: training labels reach into the holdout`);
    if (!(got.holdout.to + horizon_ms <= day(days))) t.fail(`${where}: holdout labels are not matured`);
    if (!(got.step_ms >= DAY_MS && got.step_ms <= 7 * DAY_MS)) t.fail(`${where}: step ${got.step_ms}`);
  }
  t.ok(planned > 200, `${planned} plans held`);
});

t.test('how long is measured', async (t) => {
  const days = (got: ReturnType<typeof plan>): number => ((got as SnapshotPlan).holdout.to - (got as SnapshotPlan).holdout.after) / DAY_MS;
  t.equal(days(plan(365, 30)), (365 - 30 - 60) / 4, 'a quarter of the usable time');
  t.equal(days(plan(1100, 30)), 120, 'four horizons of a long one');
  t.equal(days(plan(365, 30, 0, 14)), 14, 'as it is given');
  t.equal(days(plan(365, 30, 0, 365)), (365 - 30 - 60) / 2, 'no more than is trained on');
});

t.test('a short history is refused with what is needed', async (t) => {
  t.match(plan(45, 30), { shortage: /^45\.0 days of events \(2026-01-01 to 2026-02-15\), a horizon of 30 days needs 75:/ });
});

t.test('a given step is kept; a period holds its end and not its start', async (t) => {
  t.equal((plan(365, 30, 3) as SnapshotPlan).step_ms, 3 * DAY_MS);
  t.same([within({ after: 1, to: 3 }, 1), within({ after: 1, to: 3 }, 3), within({ after: 1, to: 3 }, 4)], [false, true, false]);
});
