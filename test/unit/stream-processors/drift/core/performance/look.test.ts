import t from 'tap';
import { judgePerformance, type PerformanceFigures } from '../../../../../../stream-processors/drift/core/performance/judge.js';
import { formerWindows, lookAtPerformance, type PerformanceLookInput, type PerformanceLookResult } from '../../../../../../stream-processors/drift/core/performance/look.js';
import { covariance, meanLoss, sharedVariance, type PieceSums } from '../../../../../../stream-processors/drift/core/performance/mean-loss.js';
import { NEW_WATCH, type Watch } from '../../../../../../stream-processors/drift/core/watch.js';
import { seeded, seedOf, type Random } from '../../../../../support/random.js';

/**
 * A shop of customers who buy at rates of their own, scored each day with the true chance of no purchase within the horizon:
 * outcomes of a customer on neighbouring days are nearly one outcome, as in production. Then the scores, or the customers, change.
 */
const DAY = 86_400_000;
const [HORIZON, WINDOW, CUSTOMERS] = [30, 7, 400];
const POLICY: PerformanceLookInput['policy'] = { falseAlarmDays: 90, stepDays: 1, rowsMin: 200, calibrationWindows: 4, lossIncreaseMin: 0.05, persistence: 3, cooldownMs: 14 * DAY, askAgainMs: 20 * DAY };
const seed = seedOf(90);
t.comment(`seed ${seed}`);

interface Change { readonly day: number; readonly scrambled?: number; readonly rate?: number }

/** The log loss of each customer, summed up to each day. */
function losses(random: Random, days: number, change?: Change): Float64Array[] {
  const rates = Array.from({ length: CUSTOMERS }, () => 0.06 * random.exponential() + 0.002);
  const chance = (rate: number): number => Math.min(0.999, Math.max(0.001, Math.exp(-rate * HORIZON)));
  return rates.map((rate, customer) => {
    const next = new Float64Array(days + HORIZON + 1).fill(Infinity); // days to the next purchase after a day
    for (let day = days + HORIZON - 1, at = Infinity; day >= 0; day--) {
      const now = change !== undefined && day >= change.day ? rate * (change.rate ?? 1) : rate;
      at = random.chance(1 - Math.exp(-now)) ? 1 : at + 1;
      next[day] = at;
    }
    const other = chance(rates[(customer + 7) % CUSTOMERS]!);
    const up = new Float64Array(days + 1);
    for (let day = 0; day < days; day++) {
      const score = change !== undefined && day >= change.day && customer / CUSTOMERS < (change.scrambled ?? 0) ? other : chance(rate);
      up[day + 1] = up[day]! - Math.log(next[day]! > HORIZON ? score : 1 - score);
    }
    return up;
  });
}

/** What performance_sums.sql gives. */
function sumsOf(all: readonly Float64Array[], pieces: readonly (readonly [piece: number, from: number, to: number])[]): PieceSums[] {
  const [, from0, to0] = pieces.find(([piece]) => piece === 0)!;
  const n0 = to0 - from0;
  return pieces.map(([piece, from, to]) => {
    const n = to - from;
    let [s, ss, s0, ss0] = [0, 0, 0, 0];
    for (const up of all) {
      const [own, now] = [up[to]! - up[from]!, up[to0]! - up[from0]!];
      s += own;
      ss += own * own;
      s0 += now;
      ss0 += own * now;
    }
    const customers = all.length;
    return { piece, customers, events: 0, n: n * customers, s, nn: n * n * customers, ns: n * s, ss, nn0: n * n0 * customers, ns0: n * s0, sn0: s * n0, ss0 };
  });
}

const day = (n: number): number => n * DAY;
const promisedOf = (random: Random): PerformanceFigures['promised'] => ({ loss: losses(random, WINDOW).reduce((sum, up) => sum + up[WINDOW]!, 0) / (CUSTOMERS * WINDOW), rows: CUSTOMERS * WINDOW });

/** Looks day after day, as the service makes them. @returns those that decided something */
function watchOver(all: readonly Float64Array[], promised: PerformanceFigures['promised'], more: Partial<PerformanceLookInput> = {}): { day: number; result: PerformanceLookResult }[] {
  let watch: Watch = NEW_WATCH;
  let cooldownUntil = more.cooldownUntil ?? 0;
  const decided: { day: number; result: PerformanceLookResult }[] = [];
  for (let to = WINDOW; to < all[0]!.length; to++) {
    const window = { from: day(to - WINDOW), to: day(to) };
    const former = formerWindows(window, watch, 0, 12);
    const pieces: [number, number, number][] = [[0, to - WINDOW, to]];
    for (let end = former.to / DAY, piece = 1; end - WINDOW >= former.from / DAY; end -= WINDOW) pieces.push([piece++, end - WINDOW, end]);
    if (pieces.length > 1) pieces.push([-1, former.from / DAY, former.to / DAY]);
    const result = lookAtPerformance({
      model: 'churn', modelVersion: 'v1', window, labelledAt: window.to + day(HORIZON), figures: { loss: 'log_loss', sums: sumsOf(all, pieces), promised }, watch, quarantines: [], policy: POLICY, underWay: false,
      horizonMs: day(HORIZON), expectedGain: 0.1, estimated: null, ...more, cooldownUntil,
    });
    watch = result.watch;
    if (result.event !== undefined) decided.push({ day: to, result });
    if (result.event?.decision === 'retrain') cooldownUntil = Math.max(cooldownUntil, result.event.cooldown_until);
  }
  return decided;
}

t.test('years in which nothing changes: at most what the budget allows, with and without a promise', async (t) => {
  const years = 12;
  let alarms = 0;
  for (let year = 0; year < years; year++) {
    const random = seeded(seed + year);
    alarms += watchOver(losses(random, 365), year % 2 === 0 ? promisedOf(seeded(seed + 1000 + year)) : null).length;
  }
  t.comment(`${alarms} alarms in ${years} years, allowed ${((365 / 90) * 0.25 * years).toFixed(1)}`);
  t.ok(alarms <= (365 / 90) * 0.25 * years, `${alarms}`);
});

t.test('a loss of quality is asked about, once, with what it costs', async (t) => {
  for (const [what, change] of [['half of the scores are other people’s', { day: 150, scrambled: 0.5 }], ['everybody buys half as often', { day: 150, rate: 0.5 }]] as const) {
    const random = seeded(seed + 50);
    const [first, ...more] = watchOver(losses(random, 190, change), promisedOf(seeded(seed + 60)));
    t.ok(first !== undefined && first.day > change.day - HORIZON && first.day <= change.day + 14, `${what}: ${first?.day}`);
    t.comment(`${what} from day ${change.day}: asked at the window that ends with day ${first?.day}`);
    t.match(first?.result.event, { reason: 'performance', decision: 'retrain', requested_by: 'drift', expected_gain: 0.1, model_version: 'v1', explanation: /^labels say worse since 1970-0\\d-\\d\\d, in 3 windows in a row: log loss .* its holdout promised|labels say worse/ });
    t.ok(first!.result.event!.evidence.every(({ feature, p, value, threshold }) => feature === 'performance' && p! < 0.0014 && value >= threshold), JSON.stringify(first!.result.event!.evidence));
    t.equal(first!.result.event!.cooldown_until, day(first!.day + HORIZON + 14));
    t.ok(more.every(({ day: at }) => at > first!.day + 14), `${what}: again only after the cooldown`);
    if ('scrambled' in change) {
      t.same(more.map(({ day: at, result }) => [at, result.decision]), [[first!.day + 20, 'retrain']], `${what}: it stands without another version`);
      t.match(more[0]?.result.event?.explanation, /^asked for again, after 1 without another version in service: labels say/);
    }
  }
});

t.test('a version that is worse than its holdout promised from its first day on needs no former windows', async (t) => {
  const all = losses(seeded(seed + 70), 40);
  const promised = promisedOf(seeded(seed + 71))!;
  const [first] = watchOver(all, { ...promised, loss: promised.loss * 0.7 });
  t.ok(first !== undefined && first.day <= 20, `${first?.day}`);
  t.match(first!.result.event!.evidence.map(({ statistic }) => statistic), ['log_loss against reference']);
  t.same(watchOver(all, null), [], 'and without a promise there is nothing to hold it against yet');
});

t.test('decisions against a retraining are records: broken data, a cooldown', async (t) => {
  const all = losses(seeded(seed + 50), 190, { day: 150, scrambled: 0.5 });
  const promised = promisedOf(seeded(seed + 60));
  const [broken, ...later] = watchOver(all, promised, { quarantines: [{ id: 'q', cause: 'unit_change', channel: 'web', from: day(100), to: day(185) }] });
  t.ok(later.every(({ day: at, result }) => result.decision === 'skip' && at > broken!.day + 14), 'said once, and again when it has been learnt anew');
  t.match(broken?.result.event, { decision: 'skip', cooldown_until: 0, explanation: /put down to the unit_change of web since 1970-04-11: no retraining$/ });
  const dead = watchOver(all, promised, { quarantines: [{ id: 'q', cause: 'dead_producer', channel: '', from: day(160), to: day(165) }] });
  t.match(dead[0]?.result.event, { decision: 'skip', explanation: /dead_producer of all channels/ }, 'events that are missing make labels of windows before');
  const until = day(160 + HORIZON);
  const [waiting, asked] = watchOver(all, promised, { cooldownUntil: until });
  t.match(waiting?.result.event, { decision: 'skip', explanation: /a retraining was asked for already, none other before/ });
  t.match(asked?.result.event, { decision: 'retrain' });
  t.ok(day(asked!.day + HORIZON) >= until && day(asked!.day - 1 + HORIZON) < until + DAY, 'asked for when it is over');
  t.not(asked!.result.event!.dedupe_key, waiting!.result.event!.dedupe_key);
});

t.test('the variance is that of means over customers', async (t) => {
  // each customer's rows say the same: as certain as the customers are many, however many rows
  const rows = (copies: number): Float64Array[] => Array.from({ length: 50 }, (_, c) => Float64Array.from({ length: copies + 1 }, (_, day) => day * (c % 2)));
  const one = meanLoss(sumsOf(rows(1), [[0, 0, 1]])[0]!);
  const many = meanLoss(sumsOf(rows(20), [[0, 0, 20]])[0]!);
  t.same([one.mean, many.mean], [0.5, 0.5]);
  t.ok(Math.abs(one.variance - many.variance) < 1e-12 && Math.abs(one.variance - 0.25 / 49) < 1e-12, `${one.variance}, ${many.variance}`);
  const [window, former] = sumsOf(rows(20), [[0, 10, 20], [-1, 0, 10]]) as [PieceSums, PieceSums];
  t.ok(Math.abs(covariance(window, former) - 0.25 / 50) < 1e-12, 'the same customers, the same luck: a difference of nothing');
  t.equal(sharedVariance(sumsOf(rows(20), [[0, 15, 20], [1, 10, 15], [2, 0, 10]]).slice(1)), 0);
});

t.test('what cannot be judged is not', async (t) => {
  const figures = (customers: number, n: number): PerformanceFigures => ({ loss: 'brier', promised: { loss: 0.01, rows: 10_000 }, sums: [{ piece: 0, customers, events: 0, n, s: n * 0.2, nn: n, ns: n * 0.2, ss: n * 0.05, nn0: 0, ns0: 0, sn0: 0, ss0: 0 }] });
  t.same(judgePerformance({ ...figures(100, 100), sums: [] }, POLICY), []);
  t.match(judgePerformance(figures(100, 100), POLICY), [{ verdict: 'few_rows', p: null }]);
  t.match(judgePerformance(figures(20, 1000), POLICY), [{ verdict: 'few_rows' }]);
  t.match(judgePerformance(figures(900, 1000), POLICY), [{ verdict: 'beyond', statistic: 'brier', against: 'reference', feature: 'performance' }]);
});

t.test('former windows end before what looks like an alarm, and begin after the last change', async (t) => {
  const window = { from: day(70), to: day(77) };
  t.same(formerWindows(window, NEW_WATCH, 0, 12), { from: 0, to: day(70) });
  t.same(formerWindows(window, NEW_WATCH, 0, 4), { from: day(42), to: day(70) });
  t.same(formerWindows(window, { ...NEW_WATCH, streaks: { a: { count: 1, first: { from: day(64), to: day(71) } } } }, 0, 12), { from: day(1), to: day(64) });
  t.same(formerWindows(window, { ...NEW_WATCH, baseline_from: day(50) }, 0, 12), { from: day(56), to: day(70) });
  t.same(formerWindows(window, NEW_WATCH, day(69), 12), { from: day(70), to: day(70) }, 'none');
});
