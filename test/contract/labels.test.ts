import t from 'tap';
import { migrate } from '../../clickhouse/migrate.js';
import type { Settings } from '../../runtime/settings.js';
import { fillLabels } from '../../stream-processors/drift/labels.js';
import { startClickHouse } from '../support/clickhouse.js';
import { HISTORY_START, land, labelHistory, type LabelHistory } from '../support/label-history.js';
import { labelsOf, watermarkOf, type Label } from '../support/label-oracle.js';
import { seeded, seedOf } from '../support/random.js';

const DAY = 86_400_000;
const seed = seedOf(4);
t.comment(`TEST_SEED=${seed}`);
t.setTimeout(200_000);
const clickhouse = await startClickHouse(t);
const HORIZON = 14;
const settings: Settings = { ...clickhouse.settings, LABEL_HORIZON_DAYS: HORIZON, LABEL_LATENESS_H: 12 };
const client = clickhouse.client();
await migrate(client, settings);
const rows = async <Row>(query: string): Promise<Row[]> => (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<Row>();
const landedLabels = (horizon = HORIZON): Promise<Label[]> => rows(`SELECT prediction_id, churned, source FROM labelled_predictions FINAL WHERE horizon_days = ${horizon} ORDER BY prediction_id`);
const written = async (): Promise<number> => (await rows<{ n: number }>('SELECT count() AS n FROM labelled_predictions'))[0]!.n;

const random = seeded(seed);
const all = labelHistory(random);
/** What lands at once, and what lands late: events, outcomes and predictions of any age. */
const late: LabelHistory = { events: all.events.filter(() => random.chance(0.08)), outcomes: all.outcomes.filter(() => random.chance(0.3)), predictions: all.predictions.filter(() => random.chance(0.05)) };
const early: LabelHistory = {
  events: all.events.filter((one) => !late.events.includes(one)), outcomes: all.outcomes.filter((one) => !late.outcomes.includes(one)), predictions: all.predictions.filter((one) => !late.predictions.includes(one)),
};
const until = (history: LabelHistory, day: number): LabelHistory => {
  const end = HISTORY_START + day * DAY;
  return { events: history.events.filter((one) => one.event_time < end), outcomes: history.outcomes.filter((one) => one.observed_at < end), predictions: history.predictions.filter((one) => one.event_time < end) };
};
const matured = (events: LabelHistory['events'], horizon = HORIZON): number => watermarkOf(events) - horizon * DAY - 12 * 3_600_000;

t.test('no events, no labels', async (t) => {
  t.same(await fillLabels(client, settings), { watermark: 0, labelled_to: 0 });
});

let labelledTo = 0;
t.test('a prediction gets its label once its horizon is over in event time, and not before', async (t) => {
  const first = until(early, 60);
  await land(client, first);
  // The same prediction again, as at-least-once delivery may bring it, with another model's score: the first one counts.
  await land(client, { predictions: first.predictions.slice(0, 50).map((one) => ({ ...one, score: 0.999, kafka_offset: one.kafka_offset + 100_000 })) });
  labelledTo = matured(first.events);
  t.same(await fillLabels(client, settings), { watermark: watermarkOf(first.events), labelled_to: labelledTo });
  const expected = labelsOf(first.predictions, first.events, first.outcomes, HORIZON * DAY, labelledTo);
  t.ok(expected.length > 200 && expected.length < first.predictions.length, `${expected.length} of ${first.predictions.length}`);
  t.same([...new Set(expected.map(({ churned, source }) => `${source} ${churned}`))].sort(), ['events 0', 'events 1', 'outcome 0', 'outcome 1'], 'the history has all kinds');
  t.same(await landedLabels(), expected);
  t.same(await rows("SELECT count() AS n FROM labelled_predictions FINAL WHERE score = 0.999"), [{ n: 0 }]);
});

t.test('a run without news writes nothing; two at once write the same', async (t) => {
  const before = await written();
  await fillLabels(client, settings);
  t.equal(await written(), before);
  await Promise.all([fillLabels(client, settings), fillLabels(client, settings)]);
  t.equal(await written(), before);
});

t.test('time goes on: only new predictions are written', async (t) => {
  const before = await landedLabels();
  const count = await written();
  const seen = until(early, 60);
  const now = until(early, 1000);
  await land(client, { events: now.events.slice(seen.events.length), outcomes: now.outcomes.slice(seen.outcomes.length), predictions: now.predictions.slice(seen.predictions.length) });
  const to = matured(early.events);
  t.ok(to > labelledTo + 20 * DAY);
  t.same(await fillLabels(client, settings), { watermark: watermarkOf(early.events), labelled_to: to });
  const expected = labelsOf(early.predictions, early.events, early.outcomes, HORIZON * DAY, to);
  t.same(await landedLabels(), expected);
  t.equal(await written() - count, expected.length - before.length);
  labelledTo = to;
});

t.test('late purchases and outcomes correct labels, late predictions get theirs, and nothing else is written', async (t) => {
  const before = new Map((await landedLabels()).map((label) => [label.prediction_id, JSON.stringify(label)]));
  const count = await written();
  await land(client, late);
  const { labelled_to } = await fillLabels(client, settings);
  t.ok(labelled_to >= labelledTo);
  const expected = labelsOf(all.predictions, all.events, all.outcomes, HORIZON * DAY, labelled_to);
  t.same(await landedLabels(), expected);
  const changed = expected.filter((label) => before.get(label.prediction_id) !== JSON.stringify(label));
  t.ok(changed.some(({ prediction_id }) => before.has(prediction_id)) && changed.some(({ prediction_id }) => !before.has(prediction_id)), `${changed.length} changed`);
  t.equal(await written() - count, changed.length);
});

t.test('the view gives the same for any window, whatever is stored', async (t) => {
  for (const [from, to] of [[10, 40], [33.3, 70.01], [0, 200], [300, 301]] as const) {
    const [a, b] = [HISTORY_START + from * DAY, HISTORY_START + to * DAY];
    const found = await rows<Label>(`SELECT prediction_id, churned, source FROM labels(from = fromUnixTimestamp64Milli(toInt64(${Math.round(a)})), to = fromUnixTimestamp64Milli(toInt64(${Math.round(b)})), horizon_days = 7, lateness_h = 12) ORDER BY prediction_id`);
    const predictions = all.predictions.filter(({ event_time }) => event_time >= Math.round(a) && event_time < Math.round(b));
    t.same(found, labelsOf(predictions, all.events, all.outcomes, 7 * DAY, matured(all.events, 7)), `days ${from} to ${to}: ${found.length} labels`);
  }
});

t.test('another horizon has labels of its own', async (t) => {
  const before = await landedLabels();
  const { labelled_to } = await fillLabels(client, { ...settings, LABEL_HORIZON_DAYS: 30 });
  t.same(await landedLabels(30), labelsOf(all.predictions, all.events, all.outcomes, 30 * DAY, labelled_to));
  t.same(await landedLabels(), before);
});

t.test('labels of events that were deleted meanwhile stay as they are', async (t) => {
  const before = await landedLabels();
  const purchase = all.events.find((one) => one.event_type === 'purchase' && one.event_time > HISTORY_START + 40 * DAY)!;
  await land(client, { events: [{ ...purchase, event_time: purchase.event_time - DAY, kafka_offset: 900_000 }] });
  const ttlDays = Math.ceil((Date.now() - HISTORY_START) / DAY) - 90;
  await fillLabels(client, { ...settings, EVENTS_TTL_DAYS: Math.max(1, ttlDays) });
  t.same(await landedLabels(), before);
});

t.test('watermark: one device with a wrong clock moves nothing, an idle partition holds nothing up', async (t) => {
  const watermark = async (): Promise<string> => (await rows<{ watermark: string; idle_partitions: number }>('SELECT * FROM label_watermark')).map((row) => `${row.watermark} ${row.idle_partitions}`)[0]!;
  const text = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
  await client.command({ query: 'TRUNCATE TABLE event_clocks' });
  t.equal(await watermark(), `${text(0)} 0`);
  const hour = HISTORY_START + 500 * DAY;
  const event = (customer: string, event_time: number, partition: number) => ({ customer_id: customer, event_type: 'login', event_time, kafka_partition: partition, kafka_offset: 0 });
  await land(client, { events: Array.from({ length: 20 }, (_, i) => event(`w${i}`, hour + (i % 2) * 7_200_000 + 5, 0)) });
  t.equal(await watermark(), `${text(hour + 7_200_000)} 0`);
  await land(client, { events: Array.from({ length: 30 }, (_, i) => event('stray', hour + (i + 1) * 100 * DAY, 0)) });
  t.equal(await watermark(), `${text(hour + 7_200_000)} 0`, 'thirty events of one customer');
  await land(client, { events: [event('alone', hour - 3 * DAY, 1)] });
  t.equal(await watermark(), `${text(hour - 3 * DAY)} 0`, 'the partition that is behind decides; half of one customer is one');
  await client.insert({ table: 'events', format: 'JSONEachRow', values: [{ ...event('w1', hour + 10, 0), event_id: 'x', channel: 'web', kafka_time: hour, landed_at: Date.now() + 3_700_000 }] });
  t.equal(await watermark(), `${text(hour + 7_200_000)} 1`, 'it has landed nothing for an hour while the other did');
});
