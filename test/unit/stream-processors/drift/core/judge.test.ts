import t from 'tap';
import type { DriftStatistic, Measurement } from '../../../../../schemas/drift/measurement.js';
import { alphaOfLook, levels, SHARES } from '../../../../../stream-processors/drift/core/budget.js';
import { forecast } from '../../../../../stream-processors/drift/core/forecast.js';
import { judge, type Judged, type PastLook, type Policy } from '../../../../../stream-processors/drift/core/judge.js';
import { moderated, NO_PRIOR, variancePrior } from '../../../../../stream-processors/drift/core/moderate.js';
import { seeded, type Random } from '../../../../support/random.js';

const DAY = 86_400_000;
const POLICY: Policy = {
  kind: 'budget', falseAlarmDays: 90, stepDays: 1, windowMs: 7 * DAY, stepMs: DAY, calibrationWindows: 4, historyWindows: 12,
  effectMin: 0.025, rowsMin: 200, psiMax: 0.2, persistence: 3, cooldownMs: 14 * DAY, askAgainMs: 30 * DAY,
};
const FEATURES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const measurement = (feature: string, value: number, changes: Partial<Measurement> = {}): Measurement =>
  ({ feature, segment: '', against: 'reference', statistic: 'ks', value, baseline: 0, p: 1e-9, degrees: 0, n: 20_000, n_reference: 30_000, ...changes });
/** A distance that wanders: a level, a trend, and noise that overlapping windows share. */
function looks(random: Random, count: number, trend = 0, changes: Partial<Measurement> = {}): PastLook[] {
  const noise = Array.from({ length: count + 7 }, () => FEATURES.map(() => random.normal()));
  return Array.from({ length: count }, (_, i) => ({
    from: (i - 7) * DAY, to: i * DAY,
    measurements: FEATURES.map((feature, f) => measurement(feature, Math.abs(0.03 + trend * i + 0.004 * noise.slice(i, i + 7).reduce((sum, row) => sum + row[f]!, 0) / Math.sqrt(7)), changes)),
  }));
}
const at = (all: readonly PastLook[], i: number): Judged[] => judge(all[i]!, all[i]!.measurements, all.slice(Math.max(0, i - 91), i - 6), POLICY);
const beyond = (judged: readonly Judged[]): string[] => judged.filter(({ verdict }) => verdict === 'beyond').map(({ feature }) => feature);

t.test('the budget: levels of all tests of all looks add up to one false alarm', async (t) => {
  const budget = { falseAlarmDays: 90, stepDays: 0.25 };
  t.equal(alphaOfLook(budget), 0.25 / 90);
  const { all, together, segments } = levels(budget, { all: 80, together: 2, segments: 400 });
  t.ok(together > all && together < 20 * all, 'one that stands for all features may be wrong more easily than each of them');
  t.ok(Math.abs((80 * all + 2 * together + 400 * segments + SHARES.performance * alphaOfLook(budget)) * 4 * 90 - 1) < 1e-12, 'over 90 days');
  t.equal(levels(budget, { all: 10, together: 0, segments: 0 }).all * 10, alphaOfLook(budget) * (SHARES.all + SHARES.segments), 'what segments do not need is not lost');
});

t.test('a forecast: the line, and an error that grows beyond the data', async (t) => {
  const points = Array.from({ length: 28 }, (_, i) => ({ at: i, y: 2 + 0.5 * i + (i % 2 === 0 ? 1 : -1), sampling: 1 }));
  const near = forecast(points, 30, 1, 4)!;
  t.ok(Math.abs(near.expected - 17) < 0.2);
  t.ok(forecast(points, 60, 1, 4)!.leverage > near.leverage);
  t.equal(near.dof, 26);
  t.equal(forecast(points, 30, 1 / 7, 4)!.dof, 2, 'looks that share six of seven days are worth a seventh');
  t.equal(forecast(points.slice(1), 30, 1 / 7, 4), undefined);
});

t.test('variances learn from each other as far as they are alike', async (t) => {
  const random = seeded(7);
  const chiSquare = (dof: number): number => Array.from({ length: dof }, () => random.normal() ** 2).reduce((sum, value) => sum + value, 0);
  const same = variancePrior(Array.from({ length: 400 }, () => chiSquare(4) / 4), 4);
  t.ok(Math.abs(same.variance - 1) < 0.1 && same.dof === 10, `one common variance: ${JSON.stringify(same)}`);
  const scattered = variancePrior(Array.from({ length: 4000 }, () => (4 / chiSquare(4)) * (chiSquare(10) / 10)), 10);
  t.ok(Math.abs(scattered.dof - 4) < 1, `variances that scatter like 4 degrees of freedom: ${JSON.stringify(scattered)}`);
  t.same(variancePrior([1, 2], 4), NO_PRIOR);
  t.same(moderated(3, 4, { variance: 1, dof: 4 }), { variance: 2, dof: 8 });
});

t.test('a simulated quiet history stays within the budget, a step beyond it is seen', async (t) => {
  for (const [seed, trend] of [[1, 0], [2, 0], [3, 0.001], [4, 0.001]] as const) {
    const random = seeded(seed);
    const all = looks(random, 28 + 6 + 365, trend);
    let alarms = 0;
    for (let i = 34; i < all.length; i++) if (beyond(at(all, i)).length > 0) alarms++;
    t.ok(alarms <= 365 / 90, `seed ${seed}, trend ${trend}: ${alarms} looks beyond in a year`);
    const last = all.length - 1;
    const shifted = all[last]!.measurements.map((one) => (one.feature === 'c' ? { ...one, value: one.value + 0.06 } : one));
    t.same(beyond(judge(all[last]!, shifted, all.slice(last - 91, last - 6), POLICY)), ['c'], 'a distance of 0.06 more');
    const small = all[last]!.measurements.map((one) => ({ ...one, value: one.value + 0.9 * POLICY.effectMin }));
    t.ok(beyond(judge(all[last]!, small, all.slice(last - 91, last - 6), POLICY)).length < FEATURES.length, 'the floor of the effect keeps small ones out');
  }
});

t.test('what is not judged: too early, too few; fewer rows than usual make more noise', async (t) => {
  const all = looks(seeded(5), 60);
  t.ok(at(all, 30).every(({ verdict, p }) => verdict === 'calibrating' && p === null));
  const few = all[59]!.measurements.map((one) => ({ ...one, n: 199, value: 0.9 }));
  t.ok(judge(all[59]!, few, all.slice(0, 53), POLICY).every(({ verdict }) => verdict === 'few_rows'));
  const one = (n: number): Judged => judge(all[59]!, [measurement('a', 0.09, { n })], all.slice(0, 53), POLICY)[0]!;
  t.equal(one(20_000).verdict, 'beyond');
  t.ok(one(1500).threshold > one(20_000).threshold && one(1500).verdict !== 'beyond');
});

t.test('a share of missing values alarms to both sides and is judged once', async (t) => {
  const missing = (value: number, against: Measurement['against']): Measurement => measurement('a', value, { statistic: 'missing_rate', against });
  const random = seeded(6);
  const past = Array.from({ length: 60 }, (_, i): PastLook => ({ from: (i - 7) * DAY, to: i * DAY, measurements: [missing(0.2 + 0.003 * random.normal(), 'reference'), missing(0.2 + 0.003 * random.normal(), 'previous')] }));
  const verdict = (value: number): Judged[] => judge(past[59]!, [missing(value, 'reference'), missing(value, 'previous')], past.slice(0, 53), POLICY);
  t.same(verdict(0.2).map(({ verdict: of, against }) => [of, against]), [['quiet', 'previous']]);
  t.same([verdict(0.3), verdict(0.1)].map(([judged]) => judged!.verdict), ['beyond', 'beyond']);
  t.ok(verdict(0.3)[0]!.threshold > 0.2 && verdict(0.1)[0]!.threshold < 0.2);
});

t.test('fixed thresholds are there for who wants them', async (t) => {
  const psi = (value: number, statistic: DriftStatistic = 'psi', changes: Partial<Measurement> = {}): Judged[] =>
    judge({ from: 0, to: 7 * DAY }, [measurement('a', value, { statistic, ...changes })], [], { ...POLICY, kind: 'classic' });
  t.same([0.05, 0.1, 0.19, 0.2, 3].map((value) => psi(value)[0]!.verdict), ['quiet', 'held', 'held', 'beyond', 'beyond']);
  t.same(psi(0.5, 'ks'), []);
  t.same(psi(0.5, 'psi', { against: 'previous' }), []);
  t.equal(psi(0.31, 'missing_rate', { baseline: 0.2 })[0]!.verdict, 'beyond');
  t.equal(psi(0.2, 'missing_rate', { baseline: 0.2 })[0]!.verdict, 'quiet');
});

t.test('all features together are judged by what their AUC usually is, and not by its own p', async (t) => {
  const random = seeded(31);
  const auc = (value: number): Measurement => measurement('multivariate', value, { statistic: 'domain_auc', against: 'previous', p: 1e-12, n: 5000, n_reference: 5000 });
  const all: PastLook[] = looks(random, 120).map((look, i) => ({ ...look, measurements: [...look.measurements, auc(0.58 + 0.004 * random.normal() + (i >= 110 ? 0.12 : 0))] }));
  const verdicts = all.map((_, i) => at(all, i).find(({ feature }) => feature === 'multivariate')!);
  t.same(verdicts.slice(60, 110).filter(({ verdict }) => verdict === 'beyond' || verdict === 'held'), [], 'telling windows apart a little is usual');
  t.ok(verdicts.slice(110, 113).every(({ verdict, value, threshold }) => verdict === 'beyond' && value > threshold && threshold < 0.65), JSON.stringify(verdicts.slice(110, 113)));
});
