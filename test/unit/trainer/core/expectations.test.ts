import t from 'tap';
import { customerActivity } from '../../../../schemas/features/customer-activity.js';
import { EVENT_SUITE, failures, hold, inWords, type EventFacts } from '../../../../trainer/core/expectations.js';
import { notNegative, ROW_SUITE, type RowFacts } from '../../../../trainer/core/row-expectations.js';
import { random } from '../../../support/random.js';

const DAY_MS = 86_400_000;
const plan = { train: { after: 0, to: 60 * DAY_MS }, holdout: { after: 70 * DAY_MS, to: 90 * DAY_MS }, step_ms: DAY_MS, horizon_ms: 10 * DAY_MS };

/** Sound rows: three features of noise and one that knows something. */
function rows(change: (facts: { values: Float32Array; labels: Float32Array; at: Float64Array }) => void = () => {}): RowFacts {
  const next = random(31);
  const count = 900;
  const labels = Float32Array.from({ length: count }, () => (next() < 0.4 ? 1 : 0));
  const values = Float32Array.from({ length: count * 4 }, (_, i) => (i % 4 === 3 ? next() + 0.5 * labels[Math.floor(i / 4)]! : i % 4 === 1 && next() < 0.3 ? NaN : next()));
  const at = Float64Array.from({ length: count }, (_, i) => (i < 600 ? (i / 600) * 60 : 71 + ((i - 600) / 300) * 19) * DAY_MS);
  at[0] = 1;
  change({ values, labels, at });
  return { feature_names: ['a', 'b', 'c', 'd'], rows: count, values, labels, at, plan, watermark: 100 * DAY_MS, not_negative: new Set(['a', 'b']) };
}
const failed = (facts: RowFacts): string[] => hold(ROW_SUITE, facts).filter(({ passed }) => !passed).map(({ name, where }) => `${name} ${where}`.trim());
const set = (values: Float32Array, column: number, of: (row: number) => number): void => { for (let row = 0; row < values.length / 4; row++) values[row * 4 + column] = of(row); };

t.test('sound rows hold the whole suite', async (t) => {
  t.same(failed(rows()), []);
});

t.test('each fault is found, and at which feature', async (t) => {
  t.same(failed(rows(({ values }) => { values[400 * 4] = -1; })), ['features_in_range a']);
  t.same(failed(rows(({ values }) => { values[400 * 4 + 3] = -1; })), [], 'a feature that may be below 0');
  t.same(failed(rows(({ values }) => set(values, 1, () => NaN))), ['features_present b']);
  t.same(failed(rows(({ values }) => set(values, 2, () => 5))), ['features_vary c']);
  t.same(failed(rows(({ labels }) => { labels.fill(0); labels[3] = 1; labels[800] = 1; })).filter((one) => one.startsWith('class')), ['class_balance churned 0.2 %']);
  t.match(failed(rows(({ labels }) => labels.fill(1, 600))), ['outcome_is_stable']);
  t.same(failed(rows(({ values, labels }) => set(values, 2, (row) => labels[row]! * 2 + row / 1e4))), ['leakage c']);
  t.same(failed(rows(({ values, labels }) => set(values, 1, (row) => (labels[row] === 1 ? NaN : row % 7)))), ['leakage b'], 'missing is a value too');
  t.same(failed(rows(({ values, labels }) => set(values, 2, (row) => -labels[row]! - row / 1e4))), ['leakage c'], 'whichever way round');
  t.same(failed(rows(({ at }) => { at[899] = 95 * DAY_MS; })), ['labels_matured']);
});

t.test('a plan whose training reaches into the holdout is no plan', async (t) => {
  const facts = rows();
  t.ok(failed({ ...facts, plan: { ...plan, holdout: { after: 65 * DAY_MS, to: 90 * DAY_MS } } }).some((one) => one.startsWith('labels_apart')));
});

t.test('events: counts against bounds', async (t) => {
  const sound: EventFacts = { events: 1000, without_customer: 0, without_id: 0, repeated: 3, purchases: 200, purchases_without_amount: 4, amounts_outside: 0, times_outside: 0, days_without_events: 0 };
  const found = (facts: Partial<EventFacts>): string[] => failures(hold(EVENT_SUITE, { ...sound, ...facts }), 'warning').map(({ name }) => name);
  t.same(found({}), []);
  t.same(found({ repeated: 40 }), ['events_once']);
  t.same(found({ purchases_without_amount: 60 }), ['amounts_present']);
  t.same(found({ purchases: 0, purchases_without_amount: 0 }), ['purchases']);
  t.same(found({ amounts_outside: 2, days_without_events: 1, times_outside: 9, without_id: 1, without_customer: 1 }), ['events_have_a_customer', 'events_have_an_id', 'amounts_in_range', 'times_in_range', 'every_day']);
  t.equal(inWords(hold(EVENT_SUITE, { ...sound, purchases_without_amount: 60 })[4]!), 'amounts_present: expected at most 5 % of purchases without amount, got 0.3 (60 of 200 purchases)');
});

t.test('what can never be below 0 follows from the view', async (t) => {
  const names = notNegative(customerActivity);
  t.ok(names.has('events_7d') && names.has('tenure_days') && names.has('order_value_std'));
  t.notOk(names.has('spend_7d') || names.has('last_order_value'), 'money may be');
});
