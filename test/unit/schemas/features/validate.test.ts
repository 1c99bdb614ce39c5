import t from 'tap';
import avsc from 'avsc';
import { count, days, distinctDays, gapMean, hours, last, lifetime, ratio, sum, type Feature, type FeatureView } from '../../../../schemas/features/declaration.js';
import { customerActivity } from '../../../../schemas/features/customer-activity.js';
import { clickhouseFeatureColumns, featureNames, featuresAvro, featuresUnknownTo, predictionsAvro } from '../../../../schemas/features/derive.js';
import { defineView, FeatureViewError, viewProblems } from '../../../../schemas/features/validate.js';

const good = count('logins_7d', 'logins', { of: 'login', over: days(7) });
const view = (...features: Feature[]): FeatureView => ({ name: 'v', version: 1, dedupeRecords: 32, features });

t.test('the default view is the design, in its order', async (t) => {
  t.same(featureNames(customerActivity), ('events_24h events_7d events_30d purchases_7d purchases_30d purchases_90d spend_7d spend_30d '
    + 'spend_90d refunds_90d tickets_30d carts_7d active_days_30d tenure_days days_since_last_purchase purchase_gap_mean_days '
    + 'purchase_gap_std_days order_value_mean order_value_std last_order_value').split(' '));
  t.equal(customerActivity.version, 1);
  t.equal(customerActivity.dedupeRecords, 32);
  t.same(viewProblems(customerActivity), []);
  t.throws(() => { (customerActivity.features as Feature[]).push(good); }, 'a defined view cannot be changed');
});

const unchecked = (overrides: object): Feature => ({ ...good, ...overrides }) as Feature;
const wrong: [string, FeatureView, RegExp][] = [
  ['a name twice', view(good, good), /'logins_7d' is declared twice/],
  ['a name that is no column name', view(unchecked({ name: 'Logins 7d' })), /'Logins 7d': the name must match/],
  ['a name of a column', view(unchecked({ name: 'score' })), /'score': the name belongs to a column/],
  ['no description', view(unchecked({ description: ' ' })), /describe it/],
  ['an unknown aggregate', view(unchecked({ aggregate: 'median' })), /unknown aggregate 'median'; known are count, sum/],
  ['an unknown event type', view(unchecked({ of: ['logon'] })), /unknown event type 'logon'; known are other, login/],
  ['no event type', view(unchecked({ of: [] })), /'of' names no event type/],
  ['an event type twice', view(unchecked({ of: ['login', 'login'] })), /names an event type twice/],
  ['a sum without value', view(unchecked({ aggregate: 'sum' })), /sum needs a value, 'amount' or 'quantity', got none/],
  ['a count with value', view(unchecked({ value: 'amount' })), /count takes no value/],
  ['a window of 0 days', view(unchecked({ window: days(0) })), /a window of 0 days: must be a whole number from 1 to 730/],
  ['a window of 1.5 hours', view(unchecked({ window: hours(1.5) })), /a window of 1.5 hours: must be a whole number from 1 to 240/],
  ['a window of weeks', view(unchecked({ window: { unit: 'weeks', size: 1 } })), /unknown window unit 'weeks'/],
  ['a last with window', view(unchecked({ aggregate: 'last', value: 'amount' })), /last takes no window/],
  ['distinct days of hours', view(distinctDays('d', 'd', { over: hours(24) })), /distinct_days needs a window of days/],
  ['a ratio of nothing', view(good, ratio('r', 'r', { numerator: 'logins_7d', denominator: 'none' })), /'r': no feature 'none' to take a ratio of; declared are logins_7d/],
  ['a ratio of a ratio', view(good, ratio('r', 'r', { numerator: 'logins_7d', denominator: 'r' })), /'r' is a ratio itself/],
  ['no features', view(), /0 features declared/],
  ['a bad version', { ...view(good), version: 0 }, /version is 0/],
  ['a bad horizon', { ...view(good), dedupeRecords: 1e6 }, /dedupeRecords is 1000000/],
];
for (const [what, declaration, message] of wrong)
  t.test(`refuses ${what}`, async (t) => {
    t.throws(() => defineView(declaration), { name: 'FeatureViewError', message });
  });

t.test('lists every problem at once', async (t) => {
  try {
    defineView(view(unchecked({ name: 'score', window: days(-1) })));
    t.fail('not refused');
  } catch (error) {
    t.ok(error instanceof FeatureViewError);
    t.equal((error as FeatureViewError).problems.length, 2);
  }
});

t.test('takes every builder', async (t) => {
  t.doesNotThrow(() => defineView(view(good, sum('s', 's', { value: 'quantity', over: lifetime }), last('l', 'l', { value: 'quantity' }),
    gapMean('g', 'g', { over: days(30) }), distinctDays('d', 'd', { of: ['login', 'purchase'], over: days(9) }),
    ratio('r', 'r', { numerator: 's', denominator: 'logins_7d' }))));
});

t.test('Avro schemas evolve BACKWARD when a feature is added, anywhere in the list', async (t) => {
  const next = defineView({ ...customerActivity, version: 2, features: [good, ...customerActivity.features] });
  for (const avro of [featuresAvro, predictionsAvro]) {
    const writer = avsc.Type.forSchema(avro(customerActivity) as never);
    const reader = avsc.Type.forSchema(avro(next) as never);
    t.doesNotThrow(() => reader.createResolver(writer));
  }
  t.same(featuresUnknownTo(featuresAvro(customerActivity), next), ['logins_7d']);
  t.same(clickhouseFeatureColumns(next)[0], { name: 'logins_7d', type: 'Float64', defaultExpression: 'nan', comment: 'logins' });
});
