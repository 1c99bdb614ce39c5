import t from 'tap';
import { Log } from '../../../../runtime/log.js';
import { createCachedCalls } from '../../../../scorer/model/cached-calls.js';
import { createModelCalls } from '../../../../scorer/model/calls.js';
import { createModelHolder } from '../../../../scorer/model/swap.js';
import { createModelSelection } from '../../../../scorer/model/selection.js';
import { createTrialHolder } from '../../../../scorer/model/trial.js';
import { ledgerEntry } from '../../../../schemas/ledger/entry.js';
import type { LedgerEntry } from '../../../../schemas/events/ledger-entry.js';
import { createScoreQueue, type ScoreAnswer } from '../../../../scorer/api/score-queue.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { logisticModel } from '../../../support/onnx.js';

const F = view.features.length;
const silent = new Log('test', 'error', () => undefined);
const holderOf = (more = {}) => createModelHolder({ view, log: silent, clock: () => 5, ...more });

t.test('a model that fails its check is refused and the one before it stays', async (t) => {
  const swaps: string[] = [];
  const holder = holderOf({ onSwap: (model: { manifest: { version: string } }) => swaps.push(model.manifest.version) });
  const a = logisticModel(view, 'a', 1);
  t.equal(holder.current(), undefined);
  t.ok(await holder.offer(a));
  await holder.ready();
  const bent = logisticModel(view, 'b', 2, { test_outputs: logisticModel(view, 'b', 2).manifest.test_outputs.map((p, i) => (i === 2 ? p + 2e-5 : p)) });
  t.notOk(await holder.offer(bent));
  t.equal(holder.current()?.manifest.version, 'a');
  t.match(holder.failure(), { version: 'b', at: 5, message: /test row 2 scores .* within 0.00001/ });
  const cases: [string, object, RegExp][] = [
    ['another view version', { view_version: 2 }, /view customer_activity version 2, this scorer has customer_activity version 1/],
    ['another order', { features: ['x', ...view.features.slice(1).map((f) => f.name)] }, /input 0 is x, expected events_24h/],
    ['an input more', { features: [...view.features.map((f) => f.name), 'more'] }, /input 20 is more, expected none/],
    ['no test rows', { test_inputs: [], test_outputs: [] }, /carries 0 test rows/],
    ['a short test row', { test_inputs: [[1]], test_outputs: [0.5] }, /test row 0 has 1 values/],
  ];
  for (const [name, change, message] of cases) {
    t.notOk(await holder.offer(logisticModel(view, 'c', 3, change)), name);
    t.match(holder.failure()?.message, message, name);
  }
  t.ok(await holder.offer(logisticModel(view, 'd', 4)));
  t.equal(holder.failure(), undefined);
  t.strictSame(swaps, ['a', 'd']);
  holder.close();
});

t.test('the number of loads is bounded', async (t) => {
  let worn = 0;
  const holder = holderOf({ loadsMax: 3, onWornOut: () => { worn++; } });
  for (let i = 0; i < 5; i++) await holder.offer(logisticModel(view, `v${i}`, i));
  t.equal(worn, 1);
  holder.close();
});

t.test('swapped while scoring: each row is scored exactly once, by the model that its answer names', async (t) => {
  const models = new Map(['v0', 'v1', 'v2', 'v3', 'v4'].map((version, i) => [version, logisticModel(view, version, i + 1)]));
  const holder = holderOf();
  await holder.offer(models.get('v0')!);
  const queue = createScoreQueue({ holder, calls: createCachedCalls({ holder, calls: createModelCalls({ holder, log: silent }), featureCount: F, cacheRows: 64, observe: () => undefined }), fallbackScore: 0.5, featureCount: F, threshold: 0.5, clock: () => 0 });
  const answers = new Map<number, ScoreAnswer[]>();
  const rowOf = (i: number): number[] => Array.from({ length: F }, (_, f) => ((i * 13 + f * 7) % 17) - 4);
  let submitted = 0;
  let swapping = true;
  const flow = (async () => {
    while (swapping || submitted < 3000) {
      for (let k = 0; k < 15; k++) {
        const i = submitted++;
        if (queue.next() < 0) throw new Error('queue full');
        queue.matrix.set(rowOf(i), queue.next());
        queue.submit((answer) => {
          if (answer instanceof Error) throw answer;
          answers.set(i, [...(answers.get(i) ?? []), answer]);
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (const version of ['v1', 'v2', 'v3', 'v4']) t.ok(await holder.offer(models.get(version)!));
  swapping = false;
  await flow;
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(answers.size, submitted);
  const used = new Set<string>();
  let wrong = 0;
  for (const [i, given] of answers) {
    const [answer] = given;
    used.add(answer!.modelVersion);
    if (given.length !== 1 || Math.abs(answer!.score - models.get(answer!.modelVersion)!.score(rowOf(i))) > 1e-6) wrong++;
  }
  t.equal(wrong, 0);
  t.strictSame([...used], ['v0', 'v1', 'v2', 'v3', 'v4']);
  holder.close();
});

t.test('the newest decision about champions is followed', async (t) => {
  const holder = holderOf();
  const selection = createModelSelection({ log: silent, model: 'churn', view, holder });
  const take = async (version: string, offset: number, change: object = {}): Promise<string | undefined> => {
    const { manifest, onnx } = logisticModel(view, version, version.length, change);
    selection.take({ manifest, onnx, offset });
    await selection.apply();
    return holder.current()?.manifest.version;
  };
  t.equal(await take('a', 1, { stage: 'candidate' }), undefined, 'a candidate does not serve');
  t.equal(await take('a', 2), 'a');
  t.equal(await take('other', 3, { model: 'upsell' }), 'a', 'another model');
  t.equal(await take('bb', 4, { view_version: 9 }), 'a', 'another view version');
  t.equal(await take('ccc', 5), 'ccc');
  t.equal(await take('dddd', 6, { test_outputs: [9, 9, 9, 9] }), 'ccc', 'a champion that fails its check');
  t.equal(await take('ccc', 7, { stage: 'retired' }), 'a', 'back to the champion before');
  t.equal(await take('a', 8, { stage: 'retired' }), 'a', 'without a champion the present one stays');
  t.equal(await take('ccc', 9), 'ccc', 'an old version promoted again');
  holder.close();
});

t.test('the ledger decides: promotion, trial, rollback, and what it names before its bytes are there', async (t) => {
  const holder = holderOf();
  const trial = createTrialHolder({ view, log: silent });
  const fetched: string[] = [];
  const versionOf = (version: string, offset: number, change: object = {}) => ({ ...logisticModel(view, version, offset, { stage: 'candidate', ...change }), offset });
  const selection = createModelSelection({
    log: silent, model: 'churn', view, holder, trial, shadowShare: 0.5,
    fetch: async (version) => { fetched.push(version); return versionOf(version, Number(version.slice(1))); },
  });
  let at = 0;
  const entry = (action: LedgerEntry['action'], version: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ledgerEntry({ model: 'churn', version, action, at: ++at, by: 'user:x', ...more }, String(at));
  const now = async (...entries: LedgerEntry[]): Promise<string> => {
    selection.ledger(entries);
    await selection.apply();
    const beside = trial.current();
    return `${holder.current()?.manifest.version ?? 'none'}${beside === undefined ? '' : ` + ${beside.mode} ${beside.model.manifest.version} ${beside.share}`}`;
  };
  selection.take({ ...versionOf('v1', 1, { stage: 'champion' }) });
  t.equal(await now(), 'v1', 'a manifest alone');
  for (let n = 2; n <= 6; n++) selection.take(versionOf(`v${n}`, n));
  t.equal(await now(entry('registered', 'v6')), 'v1');
  t.equal(await now(entry('shadow', 'v6')), 'v1 + shadow v6 0.5');
  t.equal(await now(entry('canary', 'v6', { share: 0.05, by: 'rollout' })), 'v1 + canary v6 0.05');
  const session = trial.current()!.model;
  t.equal(await now(entry('canary', 'v6', { share: 0.25, by: 'rollout' })), 'v1 + canary v6 0.25');
  t.equal(trial.current()!.model, session, 'new terms need no new session');
  t.equal(await now(entry('promoted', 'v6', { by: 'rollout' })), 'v6');
  t.equal(await now(entry('rolled_back', 'v6', { champion: 'v1' })), 'v1');
  t.strictSame(fetched, [], 'the former champion’s bytes were kept');
  t.equal(await now(entry('promoted', 'v2')), 'v2');
  t.strictSame(fetched, ['v2'], 'those of an old version are read again');
  t.equal(await now(entry('promoted', 'v7')), 'v2', 'not on models yet');
  selection.take(versionOf('v7', 7));
  t.equal(await now(), 'v7');
  t.equal(await now(entry('canary', 'v9', { share: 1 })), 'v7');
  selection.take(versionOf('v9', 9, { test_outputs: [9, 9, 9, 9] }));
  t.equal(await now(), 'v7', 'a challenger that fails its check');
  t.match(trial.failure(), { version: 'v9' });
  selection.take(versionOf('v9', 10));
  t.equal(await now(), 'v7 + canary v9 1', 'published again');
  selection.take(versionOf('v8', 11, { view_version: 9 }));
  t.equal(await now(entry('promoted', 'v8')), 'v7', 'made for another view: what served before it goes on');
  holder.close();
  trial.close();
});
