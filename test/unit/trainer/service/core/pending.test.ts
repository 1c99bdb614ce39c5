import t from 'tap';
import type { LedgerEntry } from '../../../../../schemas/events/ledger-entry.js';
import { failureKind, FAILURES_MAX, pauseMs } from '../../../../../trainer/service/core/failure.js';
import { pendingEvents } from '../../../../../trainer/service/core/pending.js';
import { retrainEvent } from '../../../../support/retrain-events.js';

const answer = (retrain_event_id: string, model = 'churn'): LedgerEntry => ({
  entry_id: `answer-${retrain_event_id}`, at: 0, model, version: '', action: 'refused', share: 0, champion: '', by: 'trainer', reason: '', evidence: '{}', retrain_event_id,
});
const ids = (events: readonly { dedupe_key: string }[]): string[] => events.map(({ dedupe_key }) => dedupe_key);

t.test('events without an answer wait, oldest first; decisions not to retrain and other models do not', async (t) => {
  const [a, b, c] = [retrainEvent('a'), retrainEvent('b'), retrainEvent('c')];
  const all = [a, retrainEvent('skipped', { decision: 'skip' }), b, retrainEvent('elsewhere', { model: 'other' }), c];
  t.same(ids(pendingEvents(all, [], 'churn')), ['a', 'b', 'c']);
  t.same(ids(pendingEvents(all, [answer(b.event_id)], 'churn')), ['a', 'c']);
  t.same(ids(pendingEvents(all, [answer(a.event_id, 'other')], 'churn')), ['a', 'b', 'c'], 'an answer about another model is none');
  t.same(pendingEvents(all, [a, b, c].map(({ event_id }) => answer(event_id)), 'churn'), []);
});

t.test('equal keys are one retrain: the first stands for all, an answer to any is one to all', async (t) => {
  const first = retrainEvent('a');
  const twin = { ...first, event_id: 'twin' };
  t.same(pendingEvents([first, first, twin], [], 'churn'), [first]);
  t.same(pendingEvents([first, twin], [answer('twin')], 'churn'), []);
  t.same(pendingEvents([first, twin, first], [answer(first.event_id)], 'churn'), []);
  const keyless = [retrainEvent('x', { dedupe_key: '', event_id: '1' }), retrainEvent('y', { dedupe_key: '', event_id: '2' })];
  t.equal(pendingEvents(keyless, [], 'churn').length, 2, 'without a key an event is only itself');
});

t.test('what a failed training leads to', async (t) => {
  for (const code of ['TRAINING_DATA_INSUFFICIENT', 'MODEL_CHECK_FAILED', 'CONFIG_INVALID']) t.equal(failureKind(code, 1), 'refuse', code);
  for (const code of ['BROKER_UNREACHABLE', 'CLICKHOUSE_UNREACHABLE', 'TRANSACTION_FAILED']) t.equal(failureKind(code, 1000), 'wait', code);
  t.same(Array.from({ length: FAILURES_MAX }, (_, i) => failureKind(undefined, i + 1)), ['again', 'again', 'refuse']);
  t.equal(failureKind('INTERNAL', 1), 'again');
  t.same([1, 2, 3, 7, 100].map(pauseMs), [1000, 2000, 4000, 60_000, 60_000]);
});
