import t from 'tap';
import { migrate } from '../../../clickhouse/migrate.js';
import { createClickHouse } from '../../../runtime/clickhouse.js';
import { loadSettings } from '../../../runtime/settings.js';
import { customerActivity } from '../../../schemas/features/customer-activity.js';
import { planFor, readDataset, readHistory, type Dataset, type DatasetOptions } from '../../../trainer/dataset/read.js';
import { within } from '../../../trainer/core/plan.js';
import { startCluster } from '../../support/cluster.js';
import { insertEvents } from '../../support/events-table.js';
import { shopHistory, type HistoryRecord } from '../../support/history.js';
import { Oracle } from '../../support/oracle.js';

const DAY = 86_400_000;
const SEED = Number(process.env['SEED'] ?? 4);
t.setTimeout(400_000);
t.comment(`SEED=${SEED}`);
const { settings: base, env } = await startCluster(t, { clickhouse: true, settings: { LABEL_HORIZON_DAYS: '14' } });
const client = createClickHouse(base);
t.teardown(() => client.close());
await migrate(client, base);
const options: DatasetOptions = { client, settings: base, view: customerActivity };

t.test('without events, and with too few days of them, the figures are said', async (t) => {
  await t.rejects(readHistory(options), { code: 'TRAINING_DATA_INSUFFICIENT', message: /no events have landed/ });
  const records = shopHistory({ seed: SEED, customers: 20, days: 20 });
  await insertEvents(client, records);
  const history = await readHistory(options);
  t.equal(history.events, records.length);
  t.equal(history.customers, new Set(records.map(({ customer_id }) => customer_id)).size);
  t.equal(history.first, Math.min(...records.map(({ event_time }) => event_time)));
  t.equal(history.watermark, Math.max(...records.map(({ event_time }) => event_time)));
  t.throws(() => planFor(history, base), { code: 'TRAINING_DATA_INSUFFICIENT', message: /days of events .* a horizon of 14 days needs 39/ });

  const stray = (i: number, event_time: number): HistoryRecord => ({ ...records[0]!, event_id: `stray-${i}`, event_time, kafka_offset: 1_000_000 + i });
  await insertEvents(client, [stray(0, Date.now()), stray(1, 86_400_000)]);
  const again = await readHistory(options);
  t.same([again.first, again.watermark], [history.first, history.watermark], 'an event of today and one of 1970 move neither end');
  await insertEvents(client, Array.from({ length: 40 }, (_, i) => stray(10 + i, Date.UTC(2026, 0, 1) + i * 1000)));
  t.equal((await readHistory(options)).watermark, Date.UTC(2026, 0, 1) + 39_000, 'many do');
  await client.command({ query: 'TRUNCATE TABLE events' });
});

const records = shopHistory({ seed: SEED + 1, customers: 120, days: 120 });
const read = async (over: Record<string, string> = {}): Promise<Dataset> => {
  const settings = loadSettings({ ...env, ...over });
  const history = await readHistory({ ...options, settings });
  return readDataset({ ...options, settings }, planFor(history, settings));
};
let first: Dataset;

t.test('every row is what the stream would have scored at its moment, labelled by what followed', async (t) => {
  await insertEvents(client, records.slice(0, 700));
  await insertEvents(client, records.slice(700));
  first = await read();
  const { rows, customer_ids, plan } = first;
  const columns = rows.feature_names.length;
  const byCustomer = new Map<string, HistoryRecord[]>();
  for (const record of [...records].sort((a, b) => a.kafka_offset - b.kafka_offset)) {
    const own = byCustomer.get(record.customer_id);
    if (own === undefined) byCustomer.set(record.customer_id, [record]);
    else own.push(record);
  }
  t.ok(rows.rows > 1000, `${rows.rows} rows`);
  let events = 0;
  let churned = 0;
  for (let row = 0; row < rows.rows; row++) {
    const id = customer_ids[rows.customer[row]!]!;
    const at = rows.at[row]!;
    const own = byCustomer.get(id)!;
    const where = `seed ${SEED}, ${id} at ${new Date(at).toISOString()}${rows.on_event[row] === 1 ? ' (event)' : ''}`;
    events += rows.on_event[row]!;
    churned += rows.labels[row]!;
    if (within(plan.train, at) === within(plan.holdout, at)) t.fail(`${where}: in the gap, or in both periods`);
    const purchases = own.filter(({ event_type, event_time }) => event_type === 'purchase' && event_time > at && event_time <= at + plan.horizon_ms);
    if ((purchases.length === 0 ? 1 : 0) !== rows.labels[row]) t.fail(`${where}: label ${rows.labels[row]}, ${purchases.length} purchases follow`);
    if (row % 7 !== 0) continue;
    const values = rows.values.subarray(row * columns, (row + 1) * columns);
    const candidates = momentsOf(own, at, rows.on_event[row] === 1);
    if (!candidates.some((vector) => rows.feature_names.every((_, i) => sameFloat(values[i]!, vector[i]!))))
      t.fail(`${where}: got ${JSON.stringify(Array.from(values))}, want ${JSON.stringify(candidates[0])}`);
  }
  t.ok(events > 300 && events < rows.rows * 0.6, `${events} moments of events among ${rows.rows} rows`);
  t.ok(churned > 100 && churned < rows.rows - 100, `${churned} churned`);
  t.same(Array.from(rows.at), Array.from(rows.at).sort((a, b) => a - b), 'in the order of time');
});

t.test('the same events give the same set, however they are stored', async (t) => {
  t.equal((await read()).data_hash, first.data_hash);
  await client.command({ query: 'TRUNCATE TABLE events' });
  const backwards = [...records].reverse();
  await insertEvents(client, backwards.slice(0, 1234));
  await insertEvents(client, backwards.slice(1234));
  t.equal((await read()).data_hash, first.data_hash, 'inserted in another order');
  t.not((await read({ LABEL_HORIZON_DAYS: '15' })).data_hash, first.data_hash, 'another horizon is another set');
});

t.test('beyond the most rows, whole customers are left out', async (t) => {
  const { rows, customer_ids } = await read({ TRAIN_ROWS_MAX: '1000' });
  t.ok(rows.rows <= 1020 && rows.rows > 500, `${rows.rows} rows`);
  t.ok(customer_ids.length < first.customer_ids.length);
  const rowsOf = (set: Pick<Dataset, 'rows' | 'customer_ids'>, id: string): number => set.rows.customer.filter((number) => set.customer_ids[number] === id).length;
  for (const id of customer_ids.slice(0, 5)) t.equal(rowsOf({ rows, customer_ids }, id), rowsOf(first, id), `all rows of ${id}`);
});

for (const [cause, broken] of [['unit_change', (amount: number | null) => (amount === null ? null : amount * 100)], ['null_burst', () => null]] as const)
  t.test(`moments whose features still hold broken events are left out: ${cause}`, async (t) => {
    const { after } = first.plan.train;
    const [from, to] = [after + 20 * DAY, after + 24 * DAY];
    const isBroken = (record: HistoryRecord): boolean => record.event_type === 'purchase' && record.amount !== null && record.event_time >= from && record.event_time < to;
    const bad = records.filter(isBroken);
    await client.command({ query: 'TRUNCATE TABLE events' });
    await insertEvents(client, records.map((record) => (isBroken(record) ? { ...record, amount: broken(record.amount) } : record)));
    const keyOf = ({ rows, customer_ids }: Dataset, row: number): string => `${customer_ids[rows.customer[row]!]} ${rows.at[row]} ${rows.on_event[row]}`;
    const valuesOf = ({ rows }: Dataset, row: number): string => JSON.stringify([...rows.values.subarray(row * rows.feature_names.length, (row + 1) * rows.feature_names.length)].map(String));
    const learnt = await read();
    t.equal(learnt.rows.rows, first.rows.rows);
    const wrong = [...Array(learnt.rows.rows).keys()].filter((row) => valuesOf(learnt, row) !== valuesOf(first, row)).map((row) => keyOf(learnt, row));
    const now = new Date().toISOString();
    await client.insert({
      table: 'quarantined_windows', format: 'JSONEachRow',
      values: [{ quarantine_id: cause, model: base.MODEL_NAME, window_from: new Date(from).toISOString(), window_to: new Date(to).toISOString(), channel: 'web', cause, created_at: now, updated_at: now }],
    });
    const kept = await read();
    await client.command({ query: 'TRUNCATE TABLE quarantined_windows' });
    const keys = new Set([...Array(kept.rows.rows).keys()].map((row) => keyOf(kept, row)));
    const after_window = wrong.filter((key) => Number(key.split(' ')[1]) >= to);
    t.ok(after_window.length > 50, `${after_window.length} of ${learnt.rows.rows} rows after the window hold the fault`);
    t.same(wrong.filter((key) => keys.has(key)), [], 'none of them is trained on');
    const needless = [...Array(first.rows.rows).keys()].filter((row) => {
      const [id, at] = [first.customer_ids[first.rows.customer[row]!]!, first.rows.at[row]!];
      return !keys.has(keyOf(first, row)) && !(at >= from && at < to) && !bad.some((record) => record.customer_id === id && record.event_time <= at && at < record.event_time + (cause === 'unit_change' ? Infinity : 90 * DAY));
    });
    t.same(needless.map((row) => keyOf(first, row)), [], 'nobody is left out who had no such event before');
    t.ok(kept.rows.rows > 0.5 * first.rows.rows, `${kept.rows.rows} of ${first.rows.rows} rows are left`);
  });

t.test('nothing is left behind in the database', async (t) => {
  const answer = await client.query({ query: "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '^training_(events|set)_')", format: 'JSONEachRow' });
  t.same(await answer.json(), []);
});

/** The vectors that the stream could have scored for a customer at a moment: after each record at which its clock stood there, or at a sweep. */
function momentsOf(own: readonly HistoryRecord[], at: number, on_event: boolean): number[][] {
  const oracle = new Oracle(customerActivity);
  const vectors: number[][] = [];
  let latest = 0;
  for (const record of own) {
    if (!on_event && record.event_time > at) break;
    oracle.take(record);
    latest = Math.max(latest, record.event_time);
    if (on_event && latest === at) vectors.push(oracle.vector(record.customer_id));
  }
  return on_event ? vectors : [oracle.vector(own[0]!.customer_id, at)];
}

/** Equal as float32, but for the last bit: sums in another order may fall on the other side of a rounding border. */
function sameFloat(got: number, want: number): boolean {
  if (Number.isNaN(want)) return Number.isNaN(got);
  return Math.abs(got - want) <= 1.3e-7 * Math.max(1, Math.abs(want));
}
