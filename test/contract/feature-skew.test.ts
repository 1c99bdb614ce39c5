import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'csv-parse/sync';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import type { EventType } from '../../schemas/events/customer-event.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { featureSql } from '../../schemas/features/sql/feature-sql.js';
import { everyEventSpine, snapshotSpine, sweepSpine, type Arrival } from '../../schemas/features/sql/spine.js';
import { compileReducer, Outcome, type State } from '../../stream-processors/features/core/reducer.js';
import { loadEvents, openEngine, readFeatures, rowsOf } from '../support/engine.js';
import { difference, take } from '../support/features.js';
import { place, randomHistory, shopHistory, type HistoryRecord } from '../support/history.js';
import { Oracle } from '../support/oracle.js';
import { seeded, seedOf } from '../support/random.js';
import { sharedData } from '../support/shared-data.js';
import { everyAggregate, hoursOnly, lifetimeOnly } from '../support/views.js';

const DAY = 86_400_000;
const realEvents = sharedData('events');
const seed = seedOf(42);
t.comment(`TEST_SEED=${seed}`);
t.setTimeout(400_000);
const session = openEngine(t);

/** The stream's answer and the oracle's after every record, by customer and offset; they must agree before SQL is asked. */
function stream(t: Test, view: FeatureView, history: readonly HistoryRecord[]): Map<string, Float64Array> {
  const reducer = compileReducer(view);
  const oracle = new Oracle(view);
  const names = featureNames(view);
  const states = new Map<string, State>();
  const vectors = new Map<string, Float64Array>();
  const wrong: string[] = [];
  for (const record of history) {
    let state = states.get(record.customer_id);
    if (state === undefined) states.set(record.customer_id, state = reducer.create());
    const outcome = take(reducer, state, record);
    oracle.take(record);
    const vector = new Float64Array(reducer.features);
    reducer.vector(state, 0, vector, 0);
    vectors.set(`${record.customer_id}@${record.kafka_offset}`, vector);
    const found = outcome === Outcome.accepted ? difference(names, vector, oracle.vector(record.customer_id)) : undefined;
    if (found !== undefined) wrong.push(`${record.event_id}: ${found}`);
  }
  t.same(wrong.slice(0, 5), [], `stream and oracle agree after each of ${history.length} records`);
  return vectors;
}

/** Every record: stream = oracle = SQL. Sweeps and snapshots: oracle of the records up to the bound = SQL. */
async function prove(t: Test, table: string, view: FeatureView, history: readonly HistoryRecord[]): Promise<void> {
  const names = featureNames(view);
  await loadEvents(session, table, history);
  const vectors = stream(t, view, history);

  const rows = await readFeatures(session, featureSql(view, { events: table, spine: everyEventSpine(table) }), view);
  const wrong: string[] = [];
  for (const row of rows) {
    const found = difference(names, row.values, vectors.get(`${row.customer_id}@${row.as_of_offset}`) ?? []);
    if (found !== undefined) wrong.push(`${row.customer_id}@${row.as_of_offset}: ${found}`);
  }
  t.same(wrong.slice(0, 5), [], `SQL agrees on ${rows.length} vectors of ${names.length} features`);
  t.equal(rows.length, history.length, 'SQL has a row for every record');

  const times = history.map((record) => record.event_time).sort((a, b) => a - b);
  const last = times.at(-1)!;
  const clock = last + 3 * DAY + 12_345;
  const swept = await readFeatures(session, featureSql(view, { events: table, spine: sweepSpine(table, clock) }), view);
  compareWithOracle(t, 'sweep', view, swept, history, () => true, () => clock);

  const moments = [0.2, 0.5, 0.8, 0.97].map((share) => times[Math.floor(share * times.length)]! + 1);
  // The broker's time of a record is its event_time here, so that broker and partition give the same bounds.
  for (const arrival of ['customer', 'partition', 'broker'] satisfies Arrival[]) {
    const snapshots = await readFeatures(session, featureSql(view, { events: table, spine: snapshotSpine(table, moments, arrival) }), view);
    const first = firstPast(history, arrival);
    compareWithOracle(t, `snapshots, arrival by ${arrival}`, view, snapshots, history, (record, moment) => record.kafka_offset < first(record, moment), (moment) => moment);
  }
}

/** The offset of the first record past a moment, of the customer or of the partition, by looking. */
function firstPast(history: readonly HistoryRecord[], arrival: Arrival): (record: HistoryRecord, moment: number) => number {
  const known = new Map<string, number>();
  const group = (record: HistoryRecord): string => (arrival === 'customer' ? record.customer_id : String(record.kafka_partition));
  return (record, moment) => {
    const key = `${group(record)}|${moment}`;
    let offset = known.get(key);
    if (offset === undefined) {
      offset = history.find((other) => group(other) === group(record) && other.event_time > moment)?.kafka_offset ?? Infinity;
      known.set(key, offset);
    }
    return offset;
  };
}

function compareWithOracle(
  t: Test, what: string, view: FeatureView, rows: Awaited<ReturnType<typeof readFeatures>>, history: readonly HistoryRecord[],
  arrived: (record: HistoryRecord, moment: number) => boolean, clockOf: (moment: number) => number,
): void {
  const names = featureNames(view);
  const wrong: string[] = [];
  let wanted = 0;
  for (const moment of new Set(rows.map((row) => row.as_of_ms))) {
    const oracle = new Oracle(view);
    for (const record of history) if (arrived(record, moment)) oracle.take(record);
    const customers = new Set(oracle.customerIds());
    wanted += customers.size;
    for (const row of rows.filter((one) => one.as_of_ms === moment)) {
      const found = customers.has(row.customer_id) ? difference(names, row.values, oracle.vector(row.customer_id, clockOf(moment))) : 'not known by then';
      if (found !== undefined) wrong.push(`${row.customer_id} at ${moment}: ${found}`);
    }
  }
  t.same(wrong.slice(0, 5), [], `${what}: SQL agrees with the oracle on ${rows.length} vectors`);
  t.equal(rows.length, wanted, `${what}: one row for every customer known by then`);
  t.ok(rows.length > 0, `${what}: not empty`);
}

/** Customers and values, by customer: the queries give rows in no order. */
function sorted(bytes: Uint8Array): Buffer {
  const rows = rowsOf(Buffer.from(bytes), customerActivity).sort((a, b) => (a.customer_id < b.customer_id ? -1 : 1));
  return Buffer.concat(rows.flatMap((row) => [Buffer.from(row.customer_id), Buffer.from(row.values.buffer)]));
}

const views = { default_view: customerActivity, every_aggregate: everyAggregate, hours_only: hoursOnly, lifetime_only: lifetimeOnly };
for (const [name, view] of Object.entries(views)) {
  t.test(`${name}: no skew on histories with disorder, duplicates, late and odd events`, async (t) => {
    await prove(t, `${name}_random`, view, randomHistory({ seed, customers: 25, eventsPerCustomer: 60 }));
    await prove(t, `${name}_dense`, view, randomHistory({ seed: seed + 1, customers: 60, eventsPerCustomer: 12, lateDaysMax: 8, duplicates: 0.3 }));
  });
}

t.test('default view: no skew on a shop', async (t) => {
  await prove(t, 'events', customerActivity, shopHistory({ seed, customers: 60, days: 250 }));
  const clock_ms = Date.UTC(2025, 10, 1);
  const file = readFileSync(join(PROJECT_ROOT, 'clickhouse/queries/features_customer_activity.sql'), 'utf8');
  const result = await session.queryBindAsync(file, { clock_ms }, { format: 'RowBinary' });
  const same = await session.queryAsync(featureSql(customerActivity, { spine: sweepSpine('events', clock_ms) }), { format: 'RowBinary' });
  t.equal(Buffer.compare(sorted(result.bytes()), sorted(same.bytes())), 0, 'the query that a user runs by hand gives what a sweep does');
});

t.test('default view: no skew on a real history, as it is and disturbed', { skip: realEvents === undefined && 'there is no shared/data beside the project' }, async (t) => {
  const rows = parse(readFileSync(join(realEvents!, 'cdnow-events.csv')), { columns: true }) as Record<string, string>[];
  const events = rows.map((row) => ({
    event_id: row['event_id']!, customer_id: row['customer_id']!, event_type: row['event_type'] as EventType,
    amount: row['amount'] === '' ? null : Number(row['amount']), quantity: row['quantity'] === '' ? null : Number(row['quantity']), event_time: Number(row['event_time_ms']),
  }));
  await prove(t, 'real', customerActivity, place(events, 4));
  const random = seeded(seed);
  const disturbed = events.flatMap((event) => (random.chance(0.1) ? [event, { ...event }] : [event])).map((event, i) => ({ event, at: i + (random.chance(0.2) ? random.below(3000) : 0) }))
    .sort((a, b) => a.at - b.at).map(({ event }) => event);
  await prove(t, 'real_disturbed', customerActivity, place(disturbed, 4));
});
