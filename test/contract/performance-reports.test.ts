import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { migrate } from '../../clickhouse/migrate.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { createClickHouse } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { fillPerformance, type Window } from '../../stream-processors/drift/performance.js';
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

t.test('every query of docs/cookbook.md runs as user reader', async (t) => {
  const shadowed = all.predictions.slice(0, 100).map(({ prediction_id, customer_id, event_time, score, kafka_partition, kafka_offset }) => ({
    prediction_id, customer_id, event_time, scored_at: event_time, mode: 'shadow', share: 0, champion_version: 'v1', challenger_version: 'v2', champion_score: score, challenger_score: score / 2,
    champion_degraded: false, challenger_degraded: false, champion_us: 5, challenger_us: 5, kafka_partition, kafka_offset, kafka_time: event_time,
  }));
  await client.insert({ table: 'shadow_predictions', values: shadowed, format: 'JSONEachRow' });
  const reader = createClickHouse({ ...settings, CLICKHOUSE_USER: 'reader', CLICKHOUSE_PASSWORD: READER_PASSWORD });
  t.teardown(() => reader.close());
  const queries = [...readFileSync(join(PROJECT_ROOT, 'docs', 'cookbook.md'), 'utf8').matchAll(/^```sql\n(.*?)^```$/gms)].map(([, query]) => query!);
  t.ok(queries.length >= 12);
  for (const query of queries) {
    const found = await (await reader.query({ query: query.replaceAll(/horizon_days = 30/g, `horizon_days = ${HORIZON}`), format: 'JSONEachRow' })).json<Row>();
    t.ok(found.length > 0, `${query.slice(0, 100)}: ${found.length} rows`);
  }
});
