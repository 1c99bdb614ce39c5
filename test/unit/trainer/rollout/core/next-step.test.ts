import t from 'tap';
import type { LedgerEntry } from '../../../../../schemas/events/ledger-entry.js';
import { deploymentOf, ROLLOUT, type LedgerStep } from '../../../../../schemas/ledger/deployment.js';
import type { Limits, PairFigures } from '../../../../../trainer/rollout/core/figures.js';
import { nextStep, STALL_MS, type RolloutPlan } from '../../../../../trainer/rollout/core/next-step.js';

const PLAN: RolloutPlan = { steps: [0.1, 0.5], step_rows_min: 1000, step_ms: 60_000, clock: 'wall', probation_ms: 600_000, automatic: true };
const LIMITS: Limits = { rows_min: 200, error_share_max: 0.01, latency_us_max: 500, psi_max: 1, ks_max: 0.5, loss_increase_max: 0.02 };
const GOOD: PairFigures = {
  rows: 5000, customers: 900, champion_error_share: 0, challenger_error_share: 0.001, champion_us: 5, challenger_us: 9, psi: 0.1, ks: 0.1,
  event_from_ms: 1e12, event_to_ms: 1e12 + 3_600_000, loss: undefined,
};
type Short = readonly [action: LedgerEntry['action'], version: string, more?: Partial<LedgerEntry>];
const auto = { by: ROLLOUT };
const FIRST: Short = ['promoted', 'a'];
const CANARY: readonly Short[] = [FIRST, ['canary', 'b', { share: 0.1 }]];
const SHADOW: readonly Short[] = [FIRST, ['shadow', 'b', { by: 'trainer' }]];
const PROMOTED: readonly Short[] = [FIRST, ['shadow', 'b'], ['promoted', 'b', auto]];
const PROBATION: readonly Short[] = [...PROMOTED, ['shadow', 'a', auto]];
const T0 = 1_800_000_000_000;

interface More { figures?: Partial<PairFigures> | undefined; after_ms?: number; champion_rows?: number; plan?: Partial<RolloutPlan> }

/** The step as a line; entries stand one second apart, the look comes `after_ms` after the last. */
function step(shorts: readonly Short[], { figures, after_ms = 120_000, champion_rows = 0, plan = {} }: More = {}): string {
  const entries: LedgerStep[] = shorts.map(([action, version, more], i) => ({ entry_id: `e${i}`, at: T0 + i * 1000, version, action, share: 0, champion: '', by: 'user:ada', ...more }));
  const now_ms = T0 + (shorts.length - 1) * 1000 + after_ms;
  const found = nextStep({ deployment: deploymentOf(entries), entries, figures: figures === undefined ? undefined : { ...GOOD, ...figures }, champion_rows, now_ms }, { ...PLAN, ...plan }, LIMITS);
  if ('wait' in found) return `wait: ${found.wait}`;
  return [found.action, found.version, found.share, found.champion, `(${found.reason})`].filter((part) => part !== undefined).join(' ');
}

t.test('a trial rises by its steps and ends in a promotion', async (t) => {
  t.match(step([]), /^wait: no version serves/);
  t.match(step([FIRST]), /^wait: no version is on trial/);
  t.match(step(SHADOW, { figures: {} }), /^canary b 0.1 \(no limit broken on 5000 rows of 900 customers in shadow\)/);
  t.match(step(CANARY, { figures: {} }), /^canary b 0.5/);
  t.match(step([...CANARY, ['canary', 'b', { share: 0.5, ...auto }]], { figures: {} }), /^promoted b b \(/);
  t.match(step([FIRST, ['canary', 'b', { share: 0.3 }]], { figures: {} }), /^canary b 0.5/, 'from a share that is no step');
  t.match(step(SHADOW, { figures: {}, plan: { steps: [] } }), /^promoted b b/, 'no steps: from shadow to all');
});

t.test('a step takes its time and its rows', async (t) => {
  t.equal(step(CANARY, { figures: { rows: 999 } }), 'wait: 999 of 1000 rows compared as a canary of 0.1');
  t.equal(step(CANARY, { figures: {}, after_ms: 59_000 }), 'wait: 59 of 60 s as a canary of 0.1');
  t.equal(step(CANARY, { figures: { event_to_ms: 1e12 + 50_000 }, plan: { clock: 'event' } }), 'wait: 50 of 60 s as a canary of 0.1', 'on the clock of the events');
  t.match(step(CANARY, { figures: {}, after_ms: 1, plan: { clock: 'event' } }), /^canary b 0.5/);
  t.match(step(CANARY, { figures: {}, plan: { automatic: false } }), /^wait: .* ROLLOUT_AUTO is false/);
  t.match(step(CANARY, {}), /^wait: no row compared/);
});

t.test('a broken limit ends the trial, whatever its step', async (t) => {
  const cases: readonly (readonly [string, Partial<PairFigures>, RegExp])[] = [
    ['errors', { challenger_error_share: 0.02 }, /errors on 2.00 % of 5000 rows, at most 1.00 %/],
    ['latency', { challenger_us: 501 }, /501 µs a row, at most 500/],
    ['PSI', { psi: 1.5 }, /PSI 1.50 between the scores/],
    ['KS', { ks: 0.6 }, /KS 0.600/],
    ['loss', { loss: { rows: 300, difference: 0.05, z: 3 } }, /log loss higher by 0.0500 on 300 rows whose outcome is known/],
    ['two at once', { psi: 3, challenger_error_share: 1 }, /errors on 100 % .*; PSI 3.00/],
  ];
  for (const [name, figures, reason] of cases)
    for (const trial of [SHADOW, CANARY]) {
      const found = step(trial, { figures, after_ms: 1 });
      t.match(found, /^rolled_back b a \((in shadow|as a canary of 0.1): /, name);
      t.match(found, reason, name);
    }
  t.match(step(CANARY, { figures: { psi: 9 }, plan: { automatic: false } }), /^rolled_back/, 'rolling back needs nobody’s leave');
});

t.test('what is no evidence rolls nothing back', async (t) => {
  const cases: readonly (readonly [string, Partial<PairFigures>])[] = [
    ['too few rows', { rows: 199, challenger_error_share: 1, psi: 9 }],
    ['a loss higher by chance', { loss: { rows: 300, difference: 0.05, z: 1.5 } }],
    ['a loss higher by a little', { loss: { rows: 30_000, difference: 0.01, z: 9 } }],
    ['a loss on few rows', { loss: { rows: 10, difference: 1, z: 9 } }],
    ['a lower loss', { loss: { rows: 300, difference: -0.5, z: -9 } }],
    ['a bad champion', { champion_error_share: 0.5, champion_us: 9000 }],
    ['figures at their limits', { challenger_error_share: 0.01, challenger_us: 500, psi: 1, ks: 0.5 }],
  ];
  for (const [name, figures] of cases) t.notMatch(step(CANARY, { figures }), /^rolled_back/, name);
});

t.test('a new champion is held against the one before it', async (t) => {
  t.match(step(PROMOTED), /^shadow a \(scored beside b during its probation\)/);
  t.match(step(PROMOTED, { after_ms: 700_000 }), /^shadow a/, 'nobody looked in time');
  t.match(step(PROMOTED, { after_ms: 1_200_000 }), /^wait/, 'too late for a probation');
  t.match(step(PROMOTED, { plan: { probation_ms: 0 } }), /^wait/);
  t.match(step([FIRST], { after_ms: 1 }), /^wait/, 'the first version has none before it');
  t.match(step([FIRST, ['promoted', 'b', { by: 'user:ada' }]]), /^shadow a/, 'promoted by hand');
  t.match(step([FIRST, ['promoted', 'b'], ['rolled_back', 'b', { champion: 'a' }]]), /^wait/, 'what was put back is not watched again');
  t.match(step(PROBATION, { figures: {} }), /^wait: b on probation: 120 of 600 s, 5000 rows compared/);
  t.match(step(PROBATION, { figures: {}, after_ms: 600_000 }), /^retired a \(b held its probation: no limit broken on 5000 rows\)/);
  t.match(step([...PROBATION, ['retired', 'a', auto]]), /^wait: no version is on trial/, 'once');
  t.match(step([...PROBATION, ['shadow', 'c'], ['rolled_back', 'c']]), /^wait: no version is on trial/, 'ended by another trial: not begun again');
});

t.test('a champion that breaks a limit on probation goes, the one before it comes back', async (t) => {
  t.match(step(PROBATION, { figures: { champion_error_share: 0.3 } }), /^rolled_back b a \(on probation: errors on 30.0 %/);
  t.match(step(PROBATION, { figures: { champion_us: 900 } }), /^rolled_back b a/);
  t.match(step(PROBATION, { figures: { psi: 2 } }), /^rolled_back b a/);
  t.match(step(PROBATION, { figures: { loss: { rows: 500, difference: -0.1, z: -4 } } }), /^rolled_back b a \(on probation: log loss higher by 0.100/);
  t.match(step(PROBATION, { figures: { loss: { rows: 500, difference: 0.1, z: 4 } } }), /^wait/, 'the former one would be worse');
  t.match(step(PROBATION, { figures: { challenger_error_share: 0.9 } }), /^wait/, 'the former one’s errors are no matter');
  const withCandidate: readonly Short[] = [...PROBATION, ['shadow', 'c', { by: 'trainer' }]];
  t.match(step(withCandidate, { figures: { champion_error_share: 0.3 } }), /^rolled_back b a \(on probation/, 'with a candidate on trial already');
  t.match(step(withCandidate, { figures: { psi: 9 } }), /^rolled_back c b \(in shadow/, 'whose distance is its own fault');
  t.match(step([FIRST, ['promoted', 'b'], ['shadow', 'a', auto], ['retired', 'a', auto], ['shadow', 'c']], { figures: { champion_error_share: 0.3 } }), /^canary c/, 'after its probation it stays');
});

t.test('rows that no scorer compares end a trial; no traffic does not', async (t) => {
  t.match(step(SHADOW, { figures: { rows: 0 }, champion_rows: 500, after_ms: STALL_MS - 1 }), /^wait/);
  t.match(step(SHADOW, { figures: { rows: 0 }, champion_rows: 500, after_ms: STALL_MS }), /^rolled_back b a \(no scorer has scored it in 120 s, in which the champion scored at least 500 rows/);
  t.match(step(SHADOW, { figures: { rows: 0 }, champion_rows: 10, after_ms: 1e9 }), /^wait/);
  t.match(step(PROBATION, { figures: { rows: 0 }, champion_rows: 500, after_ms: STALL_MS }), /^retired a \(probation without a comparison/);
});
