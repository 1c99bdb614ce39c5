import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { migrate } from '../../clickhouse/migrate.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import type { Settings } from '../../runtime/settings.js';
import { tenureSegment } from '../../schemas/segments.js';
import { startClickHouse } from '../support/clickhouse.js';
import { calibrationOf, errorsOf, FIGURES, figuresOf, WITH_INTERVAL, type Figures, type Scored } from '../support/performance-oracle.js';
import { seeded, seedOf } from '../support/random.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const seed = seedOf(11);
t.comment(`TEST_SEED=${seed}`);
t.setTimeout(200_000);
const clickhouse = await startClickHouse(t);
const settings: Settings = clickhouse.settings;
const client = clickhouse.client();
await migrate(client, settings);
type Row = Record<string, number | string | null>;
const rows = async (query: string): Promise<Row[]> => (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).json<Row>();
const at = (ms: number): string => `'${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')}'`;
const performance = (from: number, to: number, windowH: number, more = ''): Promise<Row[]> =>
  rows(`SELECT * FROM performance(from = ${at(from)}, to = ${at(to)}, window_h = ${windowH}, horizon_days = 14) ORDER BY window_from, model_version, segment ${more}`);

interface Labelled { id: string; customer: string; event_time: number; model_version: string; score: number; decision: string; degraded: boolean; channel: string; tenure: string; churned: number }
const random = seeded(seed);
let ids = 0;
const labelled = (event_time: number, score: number, churned: number, more: Partial<Labelled> = {}): Labelled => ({
  id: `0-${ids++}`, customer: `c${random.below(40)}`, event_time, model_version: 'v1', score, decision: score >= 0.5 ? 'at_risk' : 'keep', degraded: false, channel: '', tenure: '', churned, ...more,
});
async function store(all: readonly Labelled[], revision = START): Promise<void> {
  await client.insert({
    table: 'labelled_predictions', format: 'JSONEachRow',
    values: all.map(({ id, customer, ...one }) => ({ ...one, prediction_id: id, customer_id: customer, horizon_days: 14, trigger: 'event', source: 'events', revision })),
  });
}
const scoredOf = (all: readonly Labelled[]): Scored[] => all.map(({ score, decision, churned, customer }) => ({ score, risk: decision === 'at_risk', y: churned, customer }));
const segmentsOf = (one: { channel: string; tenure: string }): string[] => ['', ...(one.channel === '' ? [] : [`channel=${one.channel}`]), ...(one.tenure === '' ? [] : [one.tenure])];

/** What differs between a row and the figures, to 1e-9. */
function difference(row: Row, expected: Figures): string[] {
  return FIGURES.flatMap((name) => {
    const [found, wanted] = [row[name] ?? null, expected[name]];
    if (found === null || wanted === null) return found === wanted ? [] : [`${name}: ${found}, expected ${wanted}`];
    return Math.abs(Number(found) - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)) ? [] : [`${name}: ${found}, expected ${wanted}`];
  });
}

/** Every window, version and segment: the view against the oracle. */
async function compare(t: Test, all: readonly Labelled[], from: number, to: number, windowH: number): Promise<void> {
  const width = windowH === 0 ? to - from : windowH * 3_600_000;
  const groups = new Map<string, Labelled[]>();
  for (const one of all) {
    if (one.degraded || one.event_time < from || one.event_time >= to) continue;
    const window = from + Math.floor((one.event_time - from) / width) * width;
    for (const segment of segmentsOf(one)) {
      const key = `${new Date(window).toISOString().replace('T', ' ').replace('Z', '')}|${one.model_version}|${segment}`;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
  }
  const found = await performance(from, to, windowH);
  t.same(new Set(found.map((row) => `${row['window_from']}|${row['model_version']}|${row['segment']}`)), new Set(groups.keys()), `${groups.size} groups`);
  t.equal(found.length, groups.size);
  t.same(found.flatMap((row) => difference(row, figuresOf(scoredOf(groups.get(`${row['window_from']}|${row['model_version']}|${row['segment']}`)!))).map((what) => `${row['window_from']} ${row['model_version']} ${row['segment']} ${what}`)), []);
}

t.test('an empty window has no row', async (t) => {
  t.same(await performance(START, START + DAY, 24), []);
  t.same(await rows(`SELECT * FROM estimated_performance(from = ${at(START)}, to = ${at(START + DAY)}, window_h = 24, horizon_days = 14, reference_days = 30)`), []);
});

t.test('windows of every kind, by version and segment', async (t) => {
  const all: Labelled[] = [];
  const day = (i: number, rowsOfDay: readonly Labelled[]): void => void all.push(...rowsOfDay.map((one) => ({ ...one, event_time: START + i * DAY + random.below(DAY) })));
  const many = (n: number, score: () => number, churned: (score: number) => number, more: () => Partial<Labelled> = () => ({})): Labelled[] => Array.from({ length: n }, () => { const s = score(); return labelled(0, s, churned(s), more()); });
  day(0, many(300, () => random(), (s) => Number(random.chance(s)), () => ({ channel: random.pick(['web', 'app', '']), tenure: tenureSegment(random.below(500)), model_version: random.pick(['v1', 'v2']) })));
  day(1, many(200, () => random.pick([0, 0.1, 0.3, 0.5, 0.9, 1]), (s) => Number(random.chance(s)), () => ({ channel: random.pick(['web', "d'été"]) })));
  day(2, many(30, () => random(), () => 1));
  day(3, many(30, () => random(), () => 0));
  day(4, many(20, () => random() / 2.1, () => random.below(2)));
  day(5, many(15, () => 0.5, () => random.below(2)));
  day(6, [labelled(0, 0.7, 1)]);
  day(8, many(20, () => random(), () => random.below(2), () => ({ degraded: random.chance(0.5) })));
  await store(all);
  // A corrected label is a later revision of the same row.
  const corrected = all.filter(() => random.chance(0.1));
  for (const one of corrected) one.churned = 1 - one.churned;
  await store(corrected, START + 1);
  await compare(t, all, START, START + 10 * DAY, 24);
  await compare(t, all, START, START + 10 * DAY, 0);
  await compare(t, all, START + DAY / 2, START + 9 * DAY, 36);
});

interface Golden {
  cases: { name: string; scores: number[]; labels: number[]; expected: Record<string, number> & { confusion: number[] } }[];
  estimated: { cases: { name: string; expected: Record<string, number> }[] };
}
const golden = JSON.parse(readFileSync(join(PROJECT_ROOT, 'schemas', 'golden', 'performance.json'), 'utf8')) as Golden;

t.test('scikit-learn gives the same', async (t) => {
  for (const [i, { name, scores, labels, expected: { confusion, ...expected } }] of golden.cases.entries()) {
    const from = START + (100 + i) * DAY;
    await store(scores.map((score, j) => labelled(from + j, score, labels[j]!)));
    const [row] = await performance(from, from + DAY, 0);
    for (const [figure, value] of Object.entries(expected)) t.ok(Math.abs(Number(row![figure]) - value) < 1e-12, `${name} ${figure}: ${row![figure]}, ${value}`);
    t.same([row!['tn'], row!['fp'], row!['fn'], row!['tp']], confusion);
  }
});

const prediction = (kafka_offset: number, customer_id: string, event_time: number, score: number) =>
  ({ prediction_id: `9-${kafka_offset}`, customer_id, event_time, score, decision: score >= 0.5 ? 'at_risk' : 'keep', event_id: 'e', scored_at: event_time, view_version: 1, trigger: 'event', degraded: false, produced_at: event_time, features_at: event_time, kafka_partition: 9, kafka_offset, kafka_time: event_time });

t.test('NannyML estimates the same from scores that are calibrated', async (t) => {
  for (const [i, { name, expected }] of golden.estimated.cases.entries()) {
    const from = START + (200 + i) * DAY;
    const { scores } = golden.cases.find((one) => one.name === name)!;
    await client.insert({ table: 'predictions', format: 'JSONEachRow', values: scores.map((score, j) => ({ ...prediction(j, `c${j}`, from + j, score), model_version: 'v0', channel: '', tenure_days: 'nan' })) });
    const [row] = await rows(`SELECT * FROM estimated_performance(from = ${at(from)}, to = ${at(from + DAY)}, window_h = 0, horizon_days = 14, reference_days = 30)`);
    for (const [figure, value] of Object.entries(expected)) t.ok(Math.abs(Number(row![figure]) - value) < (figure === 'auc' ? 1e-6 : 1e-12), `${name} ${figure}: ${row![figure]}, ${value}`);
  }
});

/** Share of outcomes, drawn from the chances and one for each customer, whose figure stands in the interval. */
function coverage(scored: readonly Scored[], name: (typeof WITH_INTERVAL)[number], low: number, high: number): number {
  const draws = 150;
  const chosen = seeded(seed + 1);
  let inside = 0;
  for (let draw = 0; draw < draws; draw++) {
    const luck = new Map(scored.map(({ customer }) => [customer, chosen()]));
    const value = figuresOf(scored.map((one) => ({ ...one, y: luck.get(one.customer)! < one.y ? 1 : 0 })))[name]!;
    if (value >= low && value <= high) inside++;
  }
  return inside / draws;
}

t.test('estimates: calibrated on labels of the same version, with an interval', async (t) => {
  const from = START + 300 * DAY;
  const curve = { v1: (s: number) => s * s, v2: (s: number) => s }; // v1 says too much
  const score = (): number => Math.round(random() * 500) / 500;
  const reference = Array.from({ length: 3000 }, () => { const s = score(); return labelled(from - 20 * DAY + random.below(5 * DAY), s, Number(random.chance(curve.v1(s))), { model_version: 'v1' }); });
  const few = Array.from({ length: 900 }, () => { const s = score(); return labelled(from - 20 * DAY + random.below(5 * DAY), s, Number(random.chance(s)), { model_version: 'v2' }); });
  const later = Array.from({ length: 2000 }, () => labelled(from - 10 * DAY, 0.5, 1, { model_version: 'v1' }));
  await store([...reference, ...few, ...later]);
  await client.insert({ table: 'label_runs', format: 'JSONEachRow', values: [{ horizon_days: 14, labelled_to: from + 500 * DAY, changes_to: from }] });
  const predictions = Array.from({ length: 400 }, (_, i) => ({
    ...prediction(i, `c${random.below(90)}`, from + random.below(DAY), i < 3 ? [0, 1, 0.5][i]! : score()), model_version: i % 2 === 0 ? 'v1' : 'v2', degraded: i % 50 === 49,
    channel: random.pick(['web', 'app', '']), tenure_days: random.pick([3, 100, NaN]),
  }));
  for (const one of predictions) one.decision = one.score >= 0.6 ? 'at_risk' : 'keep';
  await client.insert({ table: 'predictions', format: 'JSONEachRow', values: predictions.map((one) => ({ ...one, tenure_days: Number.isNaN(one.tenure_days) ? 'nan' : one.tenure_days })) });
  await client.insert({ table: 'predictions', format: 'JSONEachRow', values: predictions.slice(0, 20).map((one) => ({ ...one, tenure_days: 1, kafka_offset: one.kafka_offset + 1000 })) });
  const found = await rows(`SELECT * FROM estimated_performance(from = ${at(from)}, to = ${at(from + DAY)}, window_h = 24, horizon_days = 14, reference_days = 30) ORDER BY model_version, segment`);
  const chance = { v1: calibrationOf(reference), v2: calibrationOf(few) };
  t.ok(Math.abs(chance.v1(0.5) - 0.25) < 0.1 && chance.v2(0.5) === 0.5, 'v1 is calibrated, v2 has too few labels');
  const wrong: string[] = [];
  const keys: string[] = [];
  for (const row of found) {
    const version = row['model_version'] as 'v1' | 'v2';
    const mine = predictions.filter((one) => !one.degraded && one.model_version === version && segmentsOf({ channel: one.channel, tenure: tenureSegment(one.tenure_days) }).includes(row['segment'] as string));
    const scored = mine.map((one): Scored => ({ score: one.score, risk: one.decision === 'at_risk', y: chance[version](one.score), customer: one.customer_id }));
    keys.push(`${version} ${row['segment']}`);
    wrong.push(...difference(row, figuresOf(scored)).map((what) => `${keys.at(-1)} ${what}`));
    if (row['calibrated_on'] !== (version === 'v1' ? 3000 : 0) || row['customers'] !== new Set(mine.map((one) => one.customer_id)).size) wrong.push(`${keys.at(-1)}: ${row['calibrated_on']}, ${row['customers']}`);
    if (row['segment'] !== '' && row['segment'] !== 'channel=web') continue;
    if (row['segment'] === '') t.same(WITH_INTERVAL.filter((name) => { const share = coverage(scored, name, Number(row[`${name}_low`]), Number(row[`${name}_high`])); return share < 0.9; }), [], `${version}: intervals hold what outcomes drawn from the scores give`);
    const errors = errorsOf(scored);
    for (const name of WITH_INTERVAL) {
      const half = 1.959963984540054 * errors[name];
      const [value, low, high] = [row[name], row[`${name}_low`], row[`${name}_high`]].map(Number) as [number, number, number];
      const [least, most] = [Math.max(value - half, 0), name === 'log_loss' ? value + half : Math.min(value + half, 1)];
      if (Math.abs(low - least) > 1e-6 || Math.abs(high - most) > 1e-6) wrong.push(`${keys.at(-1)} ${name}: [${low}, ${high}], expected [${least}, ${most}]`);
    }
  }
  t.same(wrong, []);
  t.same(new Set(keys), new Set(predictions.filter((one) => !one.degraded).flatMap((one) => segmentsOf({ channel: one.channel, tenure: tenureSegment(one.tenure_days) }).map((segment) => `${one.model_version} ${segment}`))));
});
