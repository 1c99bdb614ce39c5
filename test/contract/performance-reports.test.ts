import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { migrate } from '../../clickhouse/migrate.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { clickHouseUrl, createClickHouse } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import { createPerformanceFiller } from '../../stream-processors/drift/filler.js';
import { fillPerformance, type PerformanceFill, type Window } from '../../stream-processors/drift/performance.js';
import { testLog } from '../support/cluster.js';
import { freePort } from '../support/ports.js';
import { until } from '../support/wait.js';
import { READER_PASSWORD, startClickHouse } from '../support/clickhouse.js';
import { HISTORY_START, land, labelHistory, type LabelHistory } from '../support/label-history.js';
import { labelsOf, watermarkOf } from '../support/label-oracle.js';
import { figuresOf, type Figure } from '../support/performance-oracle.js';
import { seeded, seedOf } from '../support/random.js';

const DAY = 86_400_000;
const HORIZON = 14;
const WINDOW = 10 * DAY;
const seed = seedOf(23);
t.comment(`TEST_SEED=${seed}`);
t.setTimeout(200_000);
const clickhouse = await startClickHouse(t);
const settings: Settings = { ...clickhouse.settings, LABEL_HORIZON_DAYS: HORIZON, LABEL_LATENESS_H: 24, PERFORMANCE_WINDOW_H: WINDOW / 3_600_000 };
const client = clickhouse.client();
await migrate(client, settings);
type Row = Record<string, number | string | null>;
const rows = async (query: string): Promise<Row[]> => (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<Row>();
const reports = (kind: string, more = ''): Promise<Row[]> => rows(`SELECT * EXCEPT (computed_at), toInt64(toUnixTimestamp(window_from)) * 1000 AS at FROM performance_reports FINAL WHERE kind = '${kind}' ${more} ORDER BY ALL`);
const written = async (): Promise<number> => Number((await rows('SELECT count() AS n FROM performance_reports'))[0]!['n']);

const random = seeded(seed);
const all = labelHistory(random, { customers: 40, days: 80 });
const before = (day: number): LabelHistory => ({
  events: all.events.filter((one) => one.event_time < HISTORY_START + day * DAY), outcomes: all.outcomes.filter((one) => one.observed_at < HISTORY_START + day * DAY), predictions: all.predictions.filter((one) => one.event_time < HISTORY_START + day * DAY),
});
const first = before(55);
const second: LabelHistory = { events: all.events.filter((one) => !first.events.includes(one)), outcomes: all.outcomes.filter((one) => !first.outcomes.includes(one)), predictions: all.predictions.filter((one) => !first.predictions.includes(one)) };

/** Windows with a prediction that end in (after, until]. */
function windowsOf(predictions: LabelHistory['predictions'], after: number, until: number): Window[] {
  const starts = [...new Set(predictions.map((one) => Math.floor(one.event_time / WINDOW) * WINDOW))].sort((a, b) => a - b);
  return starts.map((from) => ({ from, to: from + WINDOW })).filter(({ to }) => to > after && to <= until);
}

t.test('nothing landed, nothing reported', async (t) => {
  t.same(await fillPerformance(client, settings), { watermark: 0, labelled_to: 0, realised: [], estimated: [] });
});

let labelledTo = 0;
t.test('whole windows behind the labels are reported as realised, those up to the watermark as estimated', async (t) => {
  await land(client, first);
  const fill = await fillPerformance(client, settings);
  labelledTo = watermarkOf(first.events) - HORIZON * DAY - DAY;
  t.equal(fill.labelled_to, labelledTo);
  t.same(fill.realised, windowsOf(first.predictions, 0, labelledTo));
  t.same(fill.estimated, windowsOf(first.predictions, labelledTo, watermarkOf(first.events)));
  t.ok(fill.realised.length >= 2 && fill.estimated.length >= 1);
  const labels = new Map(labelsOf(first.predictions, first.events, first.outcomes, HORIZON * DAY, labelledTo).map((label) => [label.prediction_id, label.churned]));
  const wrong: string[] = [];
  for (const { from, to } of fill.realised) {
    const mine = first.predictions.filter((one) => !one.degraded && one.event_time >= from && one.event_time < to && one.model_version === 'v1');
    const expected = figuresOf(mine.map((one) => ({ score: one.score, risk: one.decision === 'at_risk', y: labels.get(one.prediction_id)!, customer: one.customer_id })));
    for (const row of await reports('realised', `AND window_from = fromUnixTimestamp(${from / 1000}) AND model_version = 'v1' AND segment = ''`)) {
      const wanted = expected[row['metric'] as Figure];
      if (row['n'] !== mine.length || (row['value'] === null) !== (wanted === null) || Math.abs(Number(row['value']) - Number(wanted)) > 1e-9) wrong.push(`${from} ${row['metric']}: ${row['value']} of ${row['n']}, expected ${wanted} of ${mine.length}`);
    }
  }
  t.same(wrong, []);
  const [one] = await reports('estimated', "AND metric = 'log_loss' AND segment = ''");
  t.ok(Number(one!['low']) < Number(one!['value']) && Number(one!['value']) < Number(one!['high']));
});

t.test('a second run computes nothing; a killed run is done again with the same result', async (t) => {
  const count = await written();
  const [realised, estimated] = [await reports('realised'), await reports('estimated')];
  t.match(await fillPerformance(client, settings), { realised: [], estimated: [] });
  t.equal(await written(), count);
  // As after a kill: reports and labels are written, the notes about them are not.
  await client.command({ query: 'TRUNCATE TABLE label_runs' });
  await client.command({ query: "ALTER TABLE performance_reports DELETE WHERE window_from > fromUnixTimestamp({at:UInt32})", query_params: { at: Math.floor((HISTORY_START + 15 * DAY) / 1000) }, clickhouse_settings: { mutations_sync: '1' } });
  await Promise.all([fillPerformance(client, settings), fillPerformance(client, settings)]);
  t.same(await reports('realised'), realised);
  t.same(await reports('estimated'), estimated);
});

t.test('time goes on: estimates stay, labels follow, only what changed is computed', async (t) => {
  const estimated = await reports('estimated');
  await land(client, second);
  const fill = await fillPerformance(client, settings);
  const newLabels = watermarkOf(all.events) - HORIZON * DAY - DAY;
  t.same(fill.realised, windowsOf(all.predictions, labelledTo, newLabels), 'windows that had labels already are left alone');
  // Windows that are both behind the new labels and were open before never had an estimate of their whole: they have one by labels.
  t.same(fill.estimated, windowsOf(all.predictions, newLabels, watermarkOf(all.events)));
  const now = new Set((await reports('estimated')).map((row) => JSON.stringify(row)));
  t.ok(estimated.every((row) => now.has(JSON.stringify(row))), 'what was estimated can be held against what came');
  labelledTo = newLabels;
});

t.test('a late purchase brings a window anew, and that one alone', async (t) => {
  const label = (await rows(`SELECT customer_id, toUnixTimestamp64Milli(event_time) AS at FROM labelled_predictions FINAL WHERE churned AND source = 'events' AND NOT degraded AND event_time < fromUnixTimestamp64Milli(toInt64(${HISTORY_START + 35 * DAY})) ORDER BY customer_id, event_time LIMIT 1`))[0]!;
  const at = Number(label['at']);
  const customer = String(label['customer_id']);
  await land(client, { events: [{ customer_id: customer, event_type: 'purchase', event_time: at + 1, kafka_partition: 0, kafka_offset: 800_000 }] });
  const affected = all.predictions.filter((one) => one.customer_id === customer && one.event_time <= at && one.event_time > at - HORIZON * DAY);
  const { realised, estimated } = await fillPerformance(client, settings);
  t.same(estimated, []);
  const windows = windowsOf(affected, 0, labelledTo).map(({ from }) => from);
  t.ok(realised.length > 0 && realised.every(({ from }) => windows.includes(from)) && realised.some(({ from, to }) => from <= at && at < to), `${realised.length} windows`);
});

t.test('a prediction that lands late brings its estimate anew', async (t) => {
  const [window] = windowsOf(all.predictions, labelledTo, watermarkOf(all.events));
  const open = all.predictions.find((one) => one.event_time > Math.max(window!.from, labelledTo) && one.event_time < window!.to - 1)!;
  await land(client, { predictions: [{ ...open, prediction_id: 'late', kafka_offset: 700_000, event_time: open.event_time + 1 }] });
  const { estimated } = await fillPerformance(client, settings);
  t.same(estimated.map(({ from }) => from), [window!.from]);
});

t.test('the sums behind a verdict on performance are those of the labels, by customer and piece of time', async (t) => {
  const width = 5 * DAY;
  const [from, to] = [HISTORY_START + 30 * DAY, HISTORY_START + 35 * DAY];
  const former = { from: HISTORY_START + 10 * DAY, to: HISTORY_START + 25 * DAY };
  const excluded = [{ from: HISTORY_START + 16 * DAY, to: HISTORY_START + 17 * DAY }, { from, to: from + DAY }];
  const labels = await rows(`SELECT customer_id, toUnixTimestamp64Milli(event_time) AS at, score, churned, trigger FROM labelled_predictions FINAL WHERE horizon_days = ${HORIZON} AND NOT degraded AND model_version = 'v1'`);
  for (const metric of ['log_loss', 'brier']) {
    const expected = new Map<number, Map<string, { n: number; s: number; e: number }>>();
    for (const { customer_id, at, score, churned, trigger } of labels as { customer_id: string; at: number; score: number; churned: number; trigger: string }[]) {
      const window = at >= from && at < to;
      if (!window && (at < former.from || at >= former.to || excluded.some((span) => at >= span.from && at < span.to))) continue;
      const p = Math.min(1 - 2.220446049250313e-16, Math.max(2.220446049250313e-16, score));
      const loss = metric === 'brier' ? (churned - score) ** 2 : churned === 1 ? -Math.log(p) : -Math.log1p(-p);
      for (const piece of window ? [0] : [1 + Math.floor((former.to - 1 - at) / width), -1]) {
        const customers = expected.get(piece) ?? new Map<string, { n: number; s: number; e: number }>();
        const sum = customers.get(customer_id) ?? { n: 0, s: 0, e: 0 };
        expected.set(piece, customers.set(customer_id, { n: sum.n + 1, s: sum.s + loss, e: sum.e + (trigger === 'event' ? 1 : 0) }));
      }
    }
    const answer = await client.query({
      query: readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', 'performance_sums.sql'), 'utf8'), format: 'JSONEachRow',
      query_params: {
        metric, version: 'v1', horizon_days: HORIZON, width_ms: width, from, to, former_from: former.from, former_to: former.to, buckets: 1024,
        excluded_from: excluded.map((span) => span.from), excluded_to: excluded.map((span) => span.to),
      },
    });
    const found = await answer.json<Record<string, number>>();
    t.same(found.map(({ piece }) => piece), [-1, 0, 1, 2, 3], metric);
    for (const sums of found) {
      const own = expected.get(sums['piece']!)!;
      const total = (of: (one: { n: number; s: number; e: number }, window: { n: number; s: number }) => number): number => [...own].reduce((sum, [id, one]) => sum + of(one, expected.get(0)!.get(id) ?? { n: 0, s: 0 }), 0);
      const wanted = {
        customers: own.size, events: total(({ e }) => e), n: total(({ n }) => n), s: total(({ s }) => s), nn: total(({ n }) => n * n), ns: total(({ n, s }) => n * s), ss: total(({ s }) => s * s),
        nn0: total(({ n }, w) => n * w.n), ns0: total(({ n }, w) => n * w.s), sn0: total(({ s }, w) => s * w.n), ss0: total(({ s }, w) => s * w.s),
      };
      for (const [name, value] of Object.entries(wanted)) t.ok(Math.abs(sums[name]! - value) <= 1e-9 * Math.max(1, value), `${metric} ${sums['piece']} ${name}: ${sums[name]}, expected ${value}`);
    }
  }
});

t.test('every query of docs/cookbook.md runs as user reader', async (t) => {
  const shadowed = all.predictions.slice(0, 100).map(({ prediction_id, customer_id, event_time, score, kafka_partition, kafka_offset }) => ({
    prediction_id, customer_id, event_time, scored_at: event_time, mode: 'shadow', share: 0, champion_version: 'v1', challenger_version: 'v2', champion_score: score, challenger_score: score / 2,
    champion_degraded: false, challenger_degraded: false, champion_us: 5, challenger_us: 5, kafka_partition, kafka_offset, kafka_time: event_time,
  }));
  await client.insert({ table: 'shadow_predictions', values: shadowed, format: 'JSONEachRow' });
  const look = { model: 'churn', model_version: 'v1', window_from: HISTORY_START, window_to: HISTORY_START + DAY };
  await client.insert({ table: 'performance_looks', values: [{ ...look, metric: 'log_loss', value: 0.4, promised: 0.3, former: null, customers: 40, n: 400, mode: 'quiet', decision: 'none', explanation: '', state: '{}', looked_at: 0 }], format: 'JSONEachRow' });
  await client.insert({ table: 'retrain_events', values: [{ ...look, event_id: 'e1', decided_at: 0, reason: 'performance', decision: 'retrain', evidence: [], explanation: 'worse', expected_gain: 0.1, dedupe_key: 'k', cooldown_until: 0, requested_by: 'drift', kafka_partition: 0, kafka_offset: 0, kafka_time: 0 }], format: 'JSONEachRow' });
  const reader = createClickHouse({ ...settings, CLICKHOUSE_USER: 'reader', CLICKHOUSE_PASSWORD: READER_PASSWORD });
  t.teardown(() => reader.close());
  const queries = [...readFileSync(join(PROJECT_ROOT, 'docs', 'cookbook.md'), 'utf8').matchAll(/^```sql\n(.*?)^```$/gms)].map(([, query]) => query!);
  t.ok(queries.length >= 12);
  for (const query of queries) {
    const found = await (await reader.query({ query: query.replaceAll(/horizon_days = 30/g, `horizon_days = ${HORIZON}`), format: 'JSONEachRow' })).json<Row>();
    t.ok(found.length > 0, `${query.slice(0, 100)}: ${found.length} rows`);
  }
});

t.test('the filler of the service waits for ClickHouse, runs once for what is due, and ends between two statements', async (t) => {
  await client.command({ query: 'TRUNCATE TABLE performance_reports' });
  const port = await freePort();
  const fills: (PerformanceFill | undefined)[] = [];
  let clock = 0;
  const quiet = Object.assign(Object.create(testLog) as typeof testLog, { warn: () => undefined });
  const away = { ...settings, CLICKHOUSE_URL: `http://127.0.0.1:${port}`, DRIFT_POLL_MS: 1000 };
  const behindProxy = createClickHouse(away);
  t.teardown(() => behindProxy.close());
  const filler = createPerformanceFiller({ settings: away, client: behindProxy, view: customerActivity, log: quiet, filled: (fill) => fills.push(fill), now: () => clock });
  const ended = (): Promise<void> => until('the run has ended', () => !filler.position.running);
  filler.poke();
  await ended();
  t.match(filler.position, { trouble: /no answer from ClickHouse/, runs: 0, labelled_to: 0 });

  const behind = new URL(clickHouseUrl(settings));
  const proxy = createServer((socket) => {
    const server = connect(Number(behind.port), behind.hostname);
    for (const [from, to] of [[socket, server], [server, socket]] as const) from.on('error', () => to.destroy()).pipe(to);
  });
  await new Promise<void>((resolve) => { proxy.listen(port, '127.0.0.1', resolve); });
  t.teardown(() => proxy.close());
  filler.poke();
  t.notOk(filler.position.running, 'not before the next poll');
  clock += 1000;
  filler.poke();
  filler.poke();
  t.ok(filler.position.running, 'beside whoever pokes');
  await ended();
  t.match(filler.position, { trouble: undefined, runs: 1, labelled_to: labelledTo });
  const done = fills.at(-1)!;
  t.ok(done.realised.length > 2 && done.estimated.length > 0);
  clock += 1000;
  filler.poke();
  await ended();
  t.equal(filler.position.runs, 1, 'the watermark stands where it stood');
  clock += 60_000;
  filler.poke();
  await ended();
  t.equal(filler.position.runs, 2, 'corrections are looked for all the same');

  await client.command({ query: 'TRUNCATE TABLE performance_reports' });
  clock += 60_000;
  const failed = fills.length;
  filler.poke();
  filler.pause();
  await ended();
  t.same([fills.length, filler.position.runs, filler.position.trouble], [failed, 2, undefined], 'paused: neither done nor failed');
  clock += 1000;
  filler.poke();
  await ended();
  t.same(fills.at(-1)!.realised, done.realised, 'and made up for');
});
