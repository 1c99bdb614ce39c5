import t from 'tap';
import avsc from 'avsc';
import { addFeatureColumns } from '../../clickhouse/feature-columns.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { count, days, ratio } from '../../schemas/features/declaration.js';
import { clickhouseFeatureColumns, featureNames, featuresAvro, featuresUnknownTo, predictionsAvro } from '../../schemas/features/derive.js';
import { compileFeatureEncoder } from '../../schemas/features/encode.js';
import { featureSql } from '../../schemas/features/sql/feature-sql.js';
import { everyEventSpine } from '../../schemas/features/sql/spine.js';
import { defineView } from '../../schemas/features/validate.js';
import { compileReducer, type State } from '../../stream-processors/features/core/reducer.js';
import { loadEvents, openEngine, readFeatures } from '../support/engine.js';
import { difference, take } from '../support/features.js';
import { randomHistory } from '../support/history.js';
import { Oracle } from '../support/oracle.js';

/** What a user does: two lines in the declaration, and the next version. */
const grown = defineView({
  ...customerActivity,
  version: 2,
  features: [
    ...customerActivity.features,
    count('logins_7d', 'logins of the last 7 days', { of: 'login', over: days(7) }),
    ratio('login_share_7d', 'share of the last 7 days’ events that are logins', { numerator: 'logins_7d', denominator: 'events_7d' }),
  ],
});
const names = featureNames(grown);
const history = randomHistory({ seed: 9, customers: 12, eventsPerCustomer: 40 });

t.test('is in the vector and in the SQL, with the oracle’s value', async (t) => {
  const session = openEngine(t);
  await loadEvents(session, 'events', history);
  const rows = await readFeatures(session, featureSql(grown, { spine: everyEventSpine('events') }), grown);
  const sql = new Map(rows.map((row) => [`${row.customer_id}@${row.as_of_offset}`, row.values]));
  const reducer = compileReducer(grown);
  const oracle = new Oracle(grown);
  const states = new Map<string, State>();
  const out = new Float64Array(names.length);
  const wrong: string[] = [];
  let logins = 0;
  for (const record of history) {
    const state = states.get(record.customer_id) ?? reducer.create();
    states.set(record.customer_id, state);
    take(reducer, state, record);
    oracle.take(record);
    reducer.vector(state, 0, out, 0);
    logins = Math.max(logins, out[20]!);
    const want = oracle.vector(record.customer_id);
    for (const got of [out, sql.get(`${record.customer_id}@${record.kafka_offset}`) ?? []]) {
      const found = difference(names, got, want);
      if (found !== undefined) wrong.push(found);
    }
  }
  t.same(wrong, []);
  t.ok(logins > 0, `up to ${logins} logins a week`);
  t.same(names.slice(20), ['logins_7d', 'login_share_7d']);
});

t.test('is in the Avro schemas, BACKWARD', async (t) => {
  for (const avro of [featuresAvro, predictionsAvro]) {
    t.same(avro(grown).fields.slice(-2).map((field) => field.name), ['logins_7d', 'login_share_7d']);
    const writer = avsc.Type.forSchema(avro(customerActivity) as never);
    t.doesNotThrow(() => avsc.Type.forSchema(avro(grown) as never).createResolver(writer), 'the new reader reads the old records');
    t.doesNotThrow(() => writer.createResolver(avsc.Type.forSchema(avro(grown) as never)), 'and the old reader the new ones');
  }
  t.same(featuresUnknownTo(featuresAvro(customerActivity), grown), ['logins_7d', 'login_share_7d']);
});

t.test('is in the record on the wire', async (t) => {
  const encoder = compileFeatureEncoder(grown, 1);
  const buffer = Buffer.alloc(1024);
  const vector = Float64Array.from(names, (_, i) => i);
  const end = encoder.encode({ ...encoder.createHeader(), customerId: 'c', eventId: 'e' }, vector, 0, buffer, 0);
  const record = avsc.Type.forSchema(featuresAvro(grown) as never).fromBuffer(buffer.subarray(5, end)) as Record<string, unknown>;
  t.equal(record['view_version'], 2);
  t.equal(record['login_share_7d'], 21);
});

t.test('is in the ClickHouse columns', async (t) => {
  t.same(clickhouseFeatureColumns(grown).slice(-2).map((column) => column.name), ['logins_7d', 'login_share_7d']);
  t.match(addFeatureColumns(grown).at(-2), /ADD COLUMN IF NOT EXISTS `logins_7d` Float64 DEFAULT nan/);
});

t.test('changes the state: what the old view stored is refused with the way out', async (t) => {
  const old = compileReducer(customerActivity);
  const state = old.create();
  take(old, state, history[0]!);
  const buffer = Buffer.alloc(1024);
  const end = old.encode(state, buffer, 0);
  t.throws(() => compileReducer(grown).decode(buffer, 0, end), { code: 'STATE_VERSION_UNKNOWN', message: /another feature list; compute the state anew from the events/ });
});
