import t from 'tap';
import type { Measurement } from '../../../../../schemas/drift/measurement.js';
import type { PastLook, Policy } from '../../../../../stream-processors/drift/core/judge.js';
import { lookAt, type LookInput, type LookResult } from '../../../../../stream-processors/drift/core/look.js';
import type { Finding } from '../../../../../stream-processors/drift/core/triage/aggregates.js';
import { NEW_WATCH } from '../../../../../stream-processors/drift/core/watch.js';
import { seeded } from '../../../../support/random.js';

const DAY = 86_400_000;
const FIRST = 20_000;
/** Fixed limits, two looks in a row: what follows from a verdict is the same as with a budget. */
const POLICY: Policy = {
  kind: 'classic', falseAlarmDays: 90, stepDays: 1, windowMs: DAY, stepMs: DAY, calibrationWindows: 4, historyWindows: 12,
  effectMin: 0.025, rowsMin: 200, psiMax: 0.2, persistence: 2, cooldownMs: 14 * DAY, askAgainMs: 7 * DAY,
};
const MEMORIES = new Map([['events_7d', { money: false, heldMs: 7 * DAY }], ['spend_7d', { money: true, heldMs: 7 * DAY }], ['spend_90d', { money: true, heldMs: 90 * DAY }], ['multivariate', { money: true, heldMs: 90 * DAY }]]);
const window = (day: number): { from: number; to: number } => ({ from: (FIRST + day - 1) * DAY, to: (FIRST + day) * DAY });
const psi = (feature: string, value: number, segment = ''): Measurement => ({ feature, segment, against: 'reference', statistic: 'psi', value, baseline: 0, p: null, degrees: 9, n: 1000, n_reference: 1000 });
const burst = (day: number, from: number, to: number, cause: Finding['cause'] = 'null_burst'): Finding =>
  ({ cause, channel: '', from: window(day).from + from * 3_600_000, to: window(day).from + to * 3_600_000, value: 1, usual: 0, evidence: 99, rows: 50, sentence: 'amounts are missing' });

/** Looks day by day, each going on from the one before. */
function run(days: readonly { measurements: readonly Measurement[]; findings?: readonly Finding[]; cooldownUntil?: number; underWay?: boolean }[]): LookResult[] {
  const results: LookResult[] = [];
  let [watch, quarantines]: [LookInput['watch'], LookInput['quarantines']] = [NEW_WATCH, []];
  days.forEach(({ measurements, findings = [], cooldownUntil = 0, underWay = false }, day) => {
    const result = lookAt({ model: 'churn', modelVersion: 'v1', window: window(day), measurements, past: [], watch, findings, quarantines, policy: POLICY, cooldownUntil, underWay, memories: MEMORIES });
    watch = result.watch;
    const ids = new Set(result.quarantines.map(({ id }) => id));
    quarantines = [...quarantines.filter(({ id }) => !ids.has(id)), ...result.quarantines];
    results.push(result);
  });
  return results;
}
const [QUIET, MOVED] = [[psi('events_7d', 0.01), psi('spend_7d', 0.01)], [psi('events_7d', 0.5), psi('spend_7d', 0.01)]];
const decisions = (results: readonly LookResult[]): string[] => results.map(({ decision }) => decision);

t.test('a change asks once, and not again while the alarm stands', async (t) => {
  const results = run([QUIET, MOVED, MOVED, MOVED, MOVED].map((measurements) => ({ measurements })));
  t.same(decisions(results), ['none', 'none', 'retrain', 'none', 'none']);
  const [event, ...more] = results.flatMap(({ events }) => events);
  t.same(more, []);
  t.match(event, { decision: 'retrain', dedupe_key: `drift/churn/v1/${new Date(window(2).to).toISOString()}`, cooldown_until: window(2).to + 14 * DAY, evidence: [{ feature: 'events_7d', value: 0.5, threshold: 0.2 }] });
});

t.test('a change that stands without another version in service is asked for again when a horizon and the cooldown are over', async (t) => {
  const results = run(Array.from({ length: 20 }, (_, day) => ({ measurements: day === 0 ? QUIET : MOVED })));
  t.same(results.flatMap(({ decision }, day) => (decision === 'none' ? [] : [`${day} ${decision}`])), ['2 retrain', '16 retrain']);
  t.match(results[16]!.events[0]!.explanation, /^asked for again, after 1 without another version/);
  t.not(results[16]!.events[0]!.dedupe_key, results[2]!.events[0]!.dedupe_key);
  const slow = run(Array.from({ length: 24 }, (_, day) => ({ measurements: day === 0 ? QUIET : MOVED, underWay: day > 2 && day < 20 })));
  t.same(slow.flatMap(({ decision }, day) => (decision === 'none' ? [] : [`${day} ${decision}`])), ['2 retrain', '20 retrain'], 'not before the trainer has answered');
});

t.test('a change is held against what was usual when it began, however long it stands', async (t) => {
  const random = seeded(7);
  const policy: Policy = { ...POLICY, kind: 'budget', persistence: 3 };
  const past: PastLook[] = [];
  let watch = NEW_WATCH;
  const said: string[] = [];
  for (let day = 0; day < 80; day++) {
    const measurements: Measurement[] = [{ ...psi('events_7d', (day < 20 ? 0.02 : 0.21) * (0.9 + 0.2 * random())), statistic: 'ks' }];
    const result = lookAt({ model: 'churn', modelVersion: 'v1', window: window(day), measurements, past, watch, findings: [], quarantines: [], policy, cooldownUntil: 0, underWay: false, memories: MEMORIES });
    past.push({ ...window(day), measurements });
    ({ watch } = result);
    if (day >= 20 && day < 78) t.equal(result.judged[0]!.verdict, 'beyond', `day ${day}, limit ${result.judged[0]!.threshold}`);
    if (result.decision !== 'none') said.push(`${day} ${result.decision}`);
  }
  t.same(said, ['22 retrain', '36 retrain', '50 retrain', '64 retrain'], 'four times in all, then it is the new usual');
  t.equal(watch.alarm, null);
});

t.test('during a cooldown a change is noted, and asked for when it is over', async (t) => {
  const cooldownUntil = window(4).to;
  const results = run([MOVED, MOVED, MOVED, MOVED, MOVED, MOVED].map((measurements) => ({ measurements, cooldownUntil })));
  t.same(decisions(results), ['none', 'skip', 'none', 'none', 'retrain', 'none']);
  t.match(results[1]!.events[0]!.explanation, /asked for already/);
});

t.test('a data bug: alert, quarantine, skip; the change in what is made of amounts is put down to it', async (t) => {
  const moved = [psi('events_7d', 0.01), psi('spend_7d', 0.9)];
  const results = run([{ measurements: QUIET }, { measurements: moved, findings: [burst(1, 3, 20)] }, { measurements: moved, findings: [burst(1, 3, 40)] }, { measurements: moved }]);
  t.same(results.map(({ events }) => events.map(({ decision, dedupe_key }) => `${decision} ${dedupe_key.slice(0, 20)}`)), [[], ['skip bug/churn/null_burst'], [], []]);
  t.same(results.map(({ quarantines }) => quarantines.length), [0, 1, 1, 0]);
  t.equal(new Set(results.flatMap(({ alerts }) => alerts.map(({ id }) => id))).size, 1, 'it grows under one id');
  t.match(results[2]!.explanation, /put down to the null_burst/);
});

t.test('an alarm that was put down to a bug asks as soon as something moves that the bug cannot move', async (t) => {
  const moved = [psi('events_7d', 0.01), psi('spend_7d', 0.9)];
  const results = run([{ measurements: QUIET }, { measurements: moved, findings: [burst(1, 3, 20)] }, { measurements: moved }, { measurements: moved }, { measurements: MOVED }, { measurements: MOVED }]);
  t.same(decisions(results), ['none', 'skip', 'skip', 'skip', 'none', 'retrain']);
});

t.test('a bug explains what moved with it for as long as features hold it, and what then still stands asks', async (t) => {
  const silence = burst(1, 3, 20, 'dead_producer');
  const days = (feature: string, finding: Finding, count = 30): string[] => run(Array.from({ length: count }, (_, day) => ({
    measurements: day === 0 ? QUIET : [psi(feature, 0.9)], findings: day === 1 ? [finding] : [],
  }))).flatMap(({ decision }, day) => (decision === 'none' ? [] : [`${day} ${decision}`]));
  const skips = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `${from + i} skip`);
  t.same(days('events_7d', silence), [...skips(1, 8), '9 retrain', '23 retrain'], 'the window of day 9 begins more than seven days after the silence');
  t.same(days('spend_7d', burst(1, 3, 20)), [...skips(1, 8), '9 retrain', '23 retrain']);
  t.same(days('spend_90d', burst(1, 3, 20)), skips(1, 29), 'longer than the cooldown: it never becomes what is usual');
  const two = [psi('spend_90d', 0.9), psi('events_7d', 0.9)];
  t.same(decisions(run([{ measurements: QUIET }, { measurements: two, findings: [burst(1, 1, 2), silence] }, { measurements: two }])), ['none', 'skip', 'skip'], 'each test by a bug of its own');
});

t.test('what begins to move after a silence is not put down to it', async (t) => {
  const results = run([{ measurements: QUIET, findings: [burst(0, 3, 20, 'dead_producer')] }, { measurements: QUIET }, { measurements: MOVED }, { measurements: MOVED }]);
  t.same(decisions(results), ['skip', 'none', 'none', 'retrain']);
});

t.test('a change of what no bug explains asks in spite of one', async (t) => {
  const results = run([{ measurements: QUIET, findings: [burst(0, 3, 20)] }, { measurements: QUIET }, { measurements: MOVED }, { measurements: MOVED }]);
  t.same(decisions(results), ['skip', 'none', 'none', 'retrain']);
});

t.test('one channel alone: an alert, and no retraining', async (t) => {
  const channels = (app: number): Measurement[] => [psi('events_7d', 0.5), psi('events_7d', app, 'channel=app'), psi('events_7d', 0.01, 'channel=web')];
  const results = run([{ measurements: channels(2) }, { measurements: channels(2) }]);
  t.match(results[1], { decision: 'skip', events: [{ decision: 'skip', explanation: /only channel app/ }], quarantines: [{ cause: 'one_channel', channel: 'app' }], alerts: [{ cause: 'one_channel' }] });
});

t.test('all features together: named as such; after broken amounts put down to them, as the score is', async (t) => {
  const together = [...QUIET, psi('multivariate', 0.9)];
  const results = run([{ measurements: QUIET }, { measurements: together }, { measurements: together }]);
  t.match(results[2]!.events, [{ decision: 'retrain', explanation: /all features together: psi 0.90/, evidence: [{ feature: 'multivariate' }] }]);
  const after = run([{ measurements: QUIET, findings: [burst(0, 3, 20)] }, { measurements: QUIET }, { measurements: together }, { measurements: together }]);
  t.same(decisions(after), ['skip', 'none', 'none', 'skip']);
});
