import t from 'tap';
import { driftQuery } from '../../../clickhouse/drift-queries.js';
import { migrate } from '../../../clickhouse/migrate.js';
import { driftStatisticsOf, insertPredictions, insertProfile, type TestPrediction } from '../../support/drift.js';
import { startClickHouse } from '../../support/clickhouse.js';
import { random as randomOf, seedOf } from '../../support/random.js';
import { measureDrift } from '../../../stream-processors/drift/report.js';
import type { DriftStatistic, Measurement } from '../../../schemas/drift/measurement.js';
import { tenureSegment, triggerSegment } from '../../../schemas/drift/segments.js';
import { createProfiler } from '../../../schemas/drift/profiler.js';

/**
 * `native` over hourly aggregates and a model's profile against the same statistics over the raw values. Values are whole
 * numbers to 45, each of which has a bin of its own, so that both must give the same figures to the last digits.
 */
const HOUR = 3_600_000;
const FROM = Date.UTC(2026, 0, 10);
const WINDOW = { from: FROM, to: FROM + 24 * HOUR };
const PREVIOUS = { from: FROM - 24 * HOUR, to: FROM };
const MODEL = { model: 'churn', modelVersion: 'v1' };
const NEVER_SEEN = 40;

const seed = seedOf(7_011);
t.comment(`seed ${seed}`);
const random = randomOf(seed);
const whole = (below: number): number => Math.floor(random() * below);

const clickhouse = await startClickHouse(t);
const client = clickhouse.client();
await migrate(client, clickhouse.settings);

const CHANNELS = ['web', 'app', ''];
function prediction(at: number, shift: number): TestPrediction {
  const channel = CHANNELS[random() < 0.3 ? 1 : shift > 0 && random() < 0.2 ? 2 : 0]!;
  return {
    event_time: at + whole(24) * HOUR + whole(HOUR), model_version: random() < 0.9 ? 'v1' : 'v0', channel, trigger: channel === '' ? 'sweep' : 'event',
    score: whole(10), tenure_days: whole(45), events_7d: whole(12) + shift, purchases_7d: random() < 0.2 + shift * 0.1 ? NaN : whole(4), spend_7d: 7, carts_7d: random() < 0.01 ? NEVER_SEEN : whole(3),
  };
}
const FEATURES = ['tenure_days', 'events_7d', 'purchases_7d', 'spend_7d', 'carts_7d'] as const;
const now = Array.from({ length: 3000 }, () => prediction(WINDOW.from, 1));
const before = Array.from({ length: 2500 }, () => prediction(PREVIOUS.from, 0));
const outside = Array.from({ length: 500 }, () => prediction(WINDOW.to, 20));
const reference = Array.from({ length: 4000 }, () => ({ ...prediction(0, 0), carts_7d: whole(3) }));
await insertPredictions(client, [...now, ...before, ...outside]);

const profiler = createProfiler();
for (const row of reference)
  for (const feature of ['score', ...FEATURES] as const) {
    profiler.add('', feature, row[feature]);
    profiler.add(tenureSegment(row.tenure_days), feature, row[feature]);
  }
await insertProfile(client, 'churn', 'v1', profiler.profiles());
const measured = await measureDrift(client, { ...MODEL, window: WINDOW, previous: PREVIOUS, segments: ['tenure=', 'channel=web'] });
const find = (feature: string, statistic: DriftStatistic, against: Measurement['against'] = 'reference', segment = ''): Measurement | undefined =>
  measured.find((one) => one.feature === feature && one.statistic === statistic && one.against === against && one.segment === segment);

/** The same figures from the raw rows. */
async function expectedOf(rows: readonly TestPrediction[], base: readonly TestPrediction[]): Promise<Map<string, Record<string, unknown>>> {
  return driftStatisticsOf(client, driftQuery('native', 'numbers')!, ['score', ...FEATURES], (row, feature) => (feature === 'score' && row.model_version !== 'v1' ? undefined : row[feature]), rows, base);
}

for (const [name, against, segment, keep, base] of [
  ['all rows against the profile', 'reference', '', () => true, reference.map((row) => ({ ...row, model_version: 'v1' }))],
  ['all rows against the previous window', 'previous', '', () => true, before],
  ['a tenure segment against the profile', 'reference', 'tenure=0-30', (row: TestPrediction) => row.tenure_days < 30, reference.map((row) => ({ ...row, model_version: 'v1' }))],
  ['a channel against the previous window', 'previous', 'channel=web', (row: TestPrediction) => row.channel === 'web', before],
] as const)
  t.test(name, async (t) => {
    const expected = await expectedOf(now.filter(keep), base.filter(keep));
    const got = measured.filter((one) => one.against === against && one.segment === segment && ['score', ...FEATURES].includes(one.feature));
    t.same(got.map((one) => `${one.feature} ${one.statistic}`).sort(), [...expected.keys()].sort(), 'the same figures');
    for (const one of got) {
      const wanted = expected.get(`${one.feature} ${one.statistic}`)!;
      for (const column of ['value', 'p', 'degrees', 'n', 'n_reference', 'baseline'] as const) {
        const [a, b] = [Number(one[column]), Number(wanted[column])];
        t.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)), `${one.feature} ${one.statistic} ${column}: ${a}, expected ${b}`);
      }
    }
  });

t.test('what the figures say', async (t) => {
  t.ok(find('events_7d', 'psi')!.value > 0.05 && find('events_7d', 'ks')!.p! < 1e-6, 'a shift is seen');
  t.ok(find('tenure_days', 'ks')!.p! > 0.001, 'and none where there is none');
  t.match(find('spend_7d', 'wasserstein_normed'), { value: 0 }, 'a constant');
  const new_values = now.filter((row) => row.carts_7d === NEVER_SEEN).length / now.length;
  t.match([find('carts_7d', 'new_category_rate')?.value, find('carts_7d', 'out_of_range_rate')?.value], [new_values, new_values], 'a value that training did not have');
  t.ok(find('purchases_7d', 'missing_rate')!.value > find('purchases_7d', 'missing_rate')!.baseline);
  t.same(new Set(measured.map((one) => one.segment)), new Set(['', 'tenure=0-30', 'tenure=30-90', 'channel=web']));
  t.same(measured.filter((one) => !Number.isFinite(one.value) || (one.p !== null && !(one.p >= 0 && one.p <= 1))), []);
});

t.test('the mix of channels is a feature of its own', async (t) => {
  const of = (rows: readonly TestPrediction[], channel: string): number => rows.filter((row) => row.channel === channel).length;
  const table = ['web', 'app'].map((channel) => [of(now, channel), of(before, channel)] as const);
  const [n, m] = [table[0]![0] + table[1]![0], table[0]![1] + table[1]![1]];
  const chi = table.reduce((sum, [a, b]) => sum + (a - ((a + b) * n) / (n + m)) ** 2 / (((a + b) * n) / (n + m)) + (b - ((a + b) * m) / (n + m)) ** 2 / (((a + b) * m) / (n + m)), 0);
  const got = find('channel', 'chi_square', 'previous')!;
  t.ok(Math.abs(got.value - chi) < 1e-9 * chi + 1e-12, `${got.value}, expected ${chi}`);
  t.match(got, { degrees: 1, n, n_reference: m });
  t.equal(find('channel', 'chi_square', 'reference'), undefined, 'the profile does not tell channels');
  t.equal(find('channel', 'ks', 'previous'), undefined, 'channels have no order');
});

t.test('a reference that tells events from silence is mixed as the window is', async (t) => {
  const profiler = createProfiler();
  for (let i = 0; i < 1000; i++) {
    profiler.add('', 'events_7d', i % 2);
    profiler.add(triggerSegment('', 'event'), 'events_7d', 1);
    profiler.add(triggerSegment('', 'sweep'), 'events_7d', 0);
  }
  await insertProfile(client, 'churn', 'mixed', profiler.profiles());
  const at = WINDOW.to + 240 * HOUR;
  // Nine in ten rows after events, as in no training set, but alike within each kind.
  await insertPredictions(client, Array.from({ length: 1000 }, (_, i) => ({ ...prediction(at, 0), trigger: i < 900 ? 'event' as const : 'sweep' as const, events_7d: i < 900 ? 1 : 0 })));
  const rows = await measureDrift(client, { model: 'churn', modelVersion: 'mixed', window: { from: at, to: at + 24 * HOUR }, previous: PREVIOUS, segments: [] });
  const ks = rows.find((one) => one.feature === 'events_7d' && one.statistic === 'ks' && one.against === 'reference')!;
  t.ok(ks.value < 1e-9, `${ks.value}`);
  t.equal(ks.n_reference, Math.round(1 / (0.81 / 1000 + 0.01 / 1000)), 'as many rows as its shares are certain to');
});

t.test('no data, no model: nothing is measured; windows are whole hours', async (t) => {
  const empty = { from: Date.UTC(2030, 0, 1), to: Date.UTC(2030, 0, 2) };
  t.same(await measureDrift(client, { ...MODEL, window: empty, previous: PREVIOUS, segments: [] }), []);
  const unknown = await measureDrift(client, { model: 'churn', modelVersion: 'unknown', window: WINDOW, previous: PREVIOUS, segments: [] });
  t.same(unknown.filter((one) => one.against === 'reference' || one.feature === 'score'), []);
  t.ok(unknown.length > 20, 'features against the previous window need no model');
  await t.rejects(measureDrift(client, { ...MODEL, window: { from: 1, to: HOUR }, previous: PREVIOUS, segments: [] }), { code: 'INPUT_INVALID' });
});

t.test('the report of the command: the latest window, its distributions, what is recorded', async (t) => {
  const settings = clickhouse.settings;
  const { makeReport } = await import('../../../deploy/drift/report.js');
  const { htmlReport } = await import('../../../deploy/drift/html.js');
  const { terminalReport } = await import('../../../deploy/drift/terminal.js');
  const report = await makeReport(settings, { version: 'v1', to: WINDOW.to, hours: 24, segments: ['tenure='], record: true, multivariate: false });
  t.match(report.request, { model: 'churn', modelVersion: 'v1', window: WINDOW, previous: PREVIOUS });
  t.same(report.measurements.filter((one) => one.segment === ''), measured.filter((one) => one.segment === ''));
  const events = report.distributions.find((one) => one.feature === 'events_7d' && one.against === 'previous')!;
  t.same([events.values.length, events.window.reduce((a, b) => a + b), events.reference.reduce((a, b) => a + b)], [13, now.length, before.length]);
  await makeReport(settings, { version: 'v1', to: WINDOW.to - 1, hours: 24, segments: ['tenure='], record: true, multivariate: false });
  const [row] = await (await client.query({ query: "SELECT count() AS rows, countIf(verdict != '') AS judged, uniqExact(feature) AS features FROM drift_reports FINAL", format: 'JSONEachRow' })).json<Record<string, string>>();
  t.equal(Number(row!['rows']), report.measurements.length, 'recorded twice, there once');
  t.match(terminalReport(report, 'reference', false), /events_7d +(watch|drift)/);
  t.match(htmlReport(report, 0), /<svg /);
  await t.rejects(makeReport(settings, { version: 'none', hours: 24, segments: [], record: false, multivariate: false }), { code: 'NOT_FOUND' });
});
