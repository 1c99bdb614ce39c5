import t from 'tap';
import type { LedgerAction, LedgerEntry } from '../../../../schemas/events/ledger-entry.js';
import { CHAMPIONS_MAX, deploymentOf, ROLLOUT, type Deployment, type LedgerStep } from '../../../../schemas/ledger/deployment.js';
import { ledgerEntry } from '../../../../schemas/ledger/entry.js';
import { seeded } from '../../../support/random.js';

type Short = readonly [action: LedgerAction, version: string, more?: Partial<LedgerEntry>];

const steps = (shorts: readonly Short[]): LedgerStep[] =>
  shorts.map(([action, version, more], i) => ({ entry_id: `e${i + 1}`, at: i + 1, version, action, share: 0, champion: '', by: 'user:ada', ...more }));

/** `champion [those before]`, then the challenger. */
function said({ champion, champions, challenger }: Deployment): string {
  const beside = challenger === undefined ? '' : ` + ${challenger.mode} ${challenger.version}${challenger.mode === 'canary' ? ` ${challenger.share}` : ''}`;
  return `${champion ?? 'none'} [${champions.slice(1).join(' ')}]${beside}`;
}

const auto = { by: ROLLOUT };
const CASES: readonly (readonly [string, readonly Short[], string])[] = [
  ['nothing', [], 'none []'],
  ['registered only', [['registered', 'a']], 'none []'],
  ['promoted', [['registered', 'a'], ['promoted', 'a', { champion: 'a' }]], 'a []'],
  ['promoted twice, the one before stays to go back to', [['promoted', 'a'], ['promoted', 'b']], 'b [a]'],
  ['an old one promoted again', [['promoted', 'a'], ['promoted', 'b'], ['promoted', 'a']], 'a [b]'],
  ['refused', [['promoted', 'a'], ['registered', 'b'], ['refused', 'b']], 'a []'],
  ['shadow', [['promoted', 'a'], ['shadow', 'b']], 'a [] + shadow b'],
  ['shadow, canary rising', [['promoted', 'a'], ['shadow', 'b'], ['canary', 'b', { share: 0.1, ...auto }], ['canary', 'b', { share: 0.5, ...auto }]], 'a [] + canary b 0.5'],
  ['a whole rollout', [['promoted', 'a'], ['shadow', 'b'], ['canary', 'b', { share: 0.5, ...auto }], ['promoted', 'b', auto]], 'b [a]'],
  ['a challenger rolled back', [['promoted', 'a'], ['canary', 'b', { share: 0.5 }], ['rolled_back', 'b', { champion: 'a', ...auto }]], 'a []'],
  ['a champion rolled back', [['promoted', 'a'], ['promoted', 'b'], ['rolled_back', 'b', { champion: 'a', ...auto }]], 'a []'],
  ['a champion rolled back to one of long ago', [['promoted', 'a'], ['promoted', 'b'], ['promoted', 'c'], ['rolled_back', 'c', { champion: 'a' }]], 'a [b]'],
  ['a champion rolled back to none by name', [['promoted', 'a'], ['promoted', 'b'], ['rolled_back', 'b']], 'a []'],
  ['the only champion cannot be rolled back', [['promoted', 'a'], ['rolled_back', 'a']], 'a []'],
  ['a rollback of what does not serve', [['promoted', 'a'], ['promoted', 'b'], ['rolled_back', 'a', { champion: 'x' }]], 'b [a]'],
  ['a rollback that comes after a promotion by hand', [['promoted', 'a'], ['promoted', 'b'], ['promoted', 'c'], ['rolled_back', 'b', { champion: 'a', ...auto }]], 'c [b a]'],
  ['a raise after the trial was ended by hand', [['promoted', 'a'], ['shadow', 'b'], ['rolled_back', 'b'], ['canary', 'b', { share: 0.5, ...auto }]], 'a []'],
  ['a promotion after the trial was ended by hand', [['promoted', 'a'], ['shadow', 'b'], ['retired', 'b'], ['promoted', 'b', auto]], 'a []'],
  ['a person may raise without a trial', [['promoted', 'a'], ['canary', 'b', { share: 0.5 }]], 'a [] + canary b 0.5'],
  ['a newer challenger takes the place of the one on trial', [['promoted', 'a'], ['shadow', 'b'], ['shadow', 'c'], ['canary', 'b', { share: 0.5, ...auto }]], 'a [] + shadow c'],
  ['the champion is no challenger', [['promoted', 'a'], ['shadow', 'a'], ['canary', 'a', { share: 0.5 }]], 'a []'],
  ['a promotion of another ends the trial', [['promoted', 'a'], ['shadow', 'b'], ['promoted', 'c']], 'c [a]'],
  ['a former champion beside the new one, then no more', [['promoted', 'a'], ['promoted', 'b'], ['shadow', 'a', auto], ['retired', 'a', auto]], 'b [a]'],
  ['a retired former champion is not gone back to', [['promoted', 'a'], ['promoted', 'b'], ['promoted', 'c'], ['retired', 'b'], ['rolled_back', 'c']], 'a []'],
  ['a retired champion', [['promoted', 'a'], ['promoted', 'b'], ['retired', 'b']], 'a []'],
  ['the last champion is not retired', [['promoted', 'a'], ['retired', 'a']], 'a []'],
  ['written twice', [['promoted', 'a'], ['promoted', 'b', { entry_id: 'x' }], ['promoted', 'a'], ['promoted', 'b', { entry_id: 'x' }]], 'a [b]'],
  ['shares beyond their bounds', [['promoted', 'a'], ['canary', 'b', { share: 7 }]], 'a [] + canary b 1'],
  ['a share that is no number', [['promoted', 'a'], ['canary', 'b', { share: NaN }]], 'a [] + canary b 0'],
];

t.test('what serves, by the ledger', async (t) => {
  for (const [name, shorts, expected] of CASES) t.equal(said(deploymentOf(steps(shorts))), expected, name);
});

t.test('champions by manifest alone serve until the ledger promotes one, and stay to fall back on', async (t) => {
  const manifests = [{ version: 'a', stage: 'champion' }, { version: 'b', stage: 'candidate' }, { version: 'c', stage: 'champion' }, { version: 'a', stage: 'champion' }] as const;
  t.equal(said(deploymentOf([], manifests)), 'a [c]', 'published again: the newer decision');
  t.equal(said(deploymentOf(steps([['registered', 'd'], ['shadow', 'd']]), manifests)), 'a [c] + shadow d');
  t.equal(said(deploymentOf(steps([['promoted', 'd']]), manifests)), 'd [a c]');
  t.equal(said(deploymentOf(steps([['promoted', 'd'], ['rolled_back', 'd']]), manifests)), 'a [c]');
  t.equal(said(deploymentOf([], [...manifests, { version: 'a', stage: 'retired' }])), 'c []');
  t.match(deploymentOf([], manifests), { since: 0, entry_id: '' });
});

t.test('a trial knows when it began and when its step did', async (t) => {
  const { challenger } = deploymentOf(steps([['promoted', 'a'], ['shadow', 'b'], ['canary', 'b', { share: 0.1 }], ['canary', 'b', { share: 0.2 }]]));
  t.match(challenger, { first_at: 2, at: 4, entry_id: 'e4', by: 'user:ada' });
});

t.test('random ledgers: something always serves once promoted, and no version is its own challenger', async (t) => {
  const random = seeded(5);
  const actions: readonly LedgerAction[] = ['registered', 'refused', 'shadow', 'canary', 'promoted', 'rolled_back', 'retired'];
  const versions = ['a', 'b', 'c', 'd'];
  let wrong = 0;
  for (let round = 0; round < 300; round++) {
    const entries = steps(Array.from({ length: 40 }, () => [actions[random.below(actions.length)]!, versions[random.below(4)]!, {
      by: random.below(2) === 0 ? ROLLOUT : 'user:x', champion: random.below(3) === 0 ? versions[random.below(4)]! : '', share: random(),
    }] as const));
    let served = false;
    for (let n = 1; n <= entries.length; n++) {
      const { champion, champions, challenger } = deploymentOf(entries.slice(0, n));
      served ||= champion !== undefined;
      if (served && champion === undefined) wrong++;
      if (champion !== champions[0] || new Set(champions).size !== champions.length || challenger?.version === (champion ?? 'none')) wrong++;
    }
    const repeated = entries.flatMap((entry, i) => [entry, ...entries.slice(Math.max(0, i - 3), i + 1)]);
    if (said(deploymentOf(repeated)) !== said(deploymentOf(entries))) wrong++;
  }
  t.equal(wrong, 0);
  t.equal(deploymentOf(steps(Array.from({ length: 50 }, (_, i) => ['promoted', `v${i}`] as const))).champions.length, CHAMPIONS_MAX);
});

t.test('ids of entries follow from the decision and its occasion', async (t) => {
  const draft = { at: 1, model: 'churn', version: 'v1', action: 'promoted', champion: 'v1', by: 'rollout' } as const;
  const id = ledgerEntry(draft, 'e7').entry_id;
  t.match(id, /^[0-9a-f]{28}$/);
  t.equal(ledgerEntry({ ...draft, at: 2, reason: 'said otherwise' }, 'e7').entry_id, id);
  for (const other of [{ version: 'v2' }, { action: 'shadow' }, { model: 'x' }, { by: 'user:a' }, { share: 0.1 }] as const) t.not(ledgerEntry({ ...draft, ...other }, 'e7').entry_id, id);
  t.not(ledgerEntry(draft, 'e8').entry_id, id);
  t.match(ledgerEntry(draft, 'e7'), { share: 0, reason: '', evidence: '', retrain_event_id: '' });
});
