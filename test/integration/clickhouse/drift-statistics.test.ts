import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { driftQuery, type DriftProfile } from '../../../clickhouse/drift-queries.js';
import { PROJECT_ROOT } from '../../../runtime/paths.js';
import { startClickHouse } from '../../support/clickhouse.js';
import { random as randomOf, seedOf } from '../../support/random.js';
import { sharedData } from '../../support/shared-data.js';

/** The three profiles against what evidently, nannyml and scipy gave for the same samples: statistics to 1e-9, p-values to 1e-6. */
type Numbers = Readonly<Record<string, number>>;
interface Expected {
  readonly evidently: Numbers & { readonly auto: { readonly value: number; readonly metric: string } };
  readonly nannyml: Numbers;
  readonly scipy: Numbers & Readonly<Record<'chisquare_goodness_of_fit' | 'chi2_contingency_no_correction', { readonly statistic: number; readonly p: number }>>;
  readonly textbook: Numbers;
}
interface Pair { readonly id: string; readonly type: string; readonly reference: readonly (number | null)[] | Numbers; readonly current: readonly (number | null)[] | Numbers }
interface Row {
  readonly feature: string; readonly statistic: string; readonly value: number | string; readonly p: number | null; readonly distance: number | string;
  readonly chosen: number; readonly drifted: number; readonly n: number; readonly n_reference: number; readonly baseline: number; readonly degrees: number;
}

const FIXTURES = join(PROJECT_ROOT, 'test', 'fixtures', 'drift');
const expected = (JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as { fixtures: Record<string, Expected> }).fixtures;
const pairs = gunzipSync(readFileSync(join(FIXTURES, 'samples.ndjson.gz'))).toString('utf8').trim().split('\n').map((line) => JSON.parse(line) as Pair);
const shared = sharedData('drift');
const large = shared === undefined ? undefined : join(shared, 'data', 'n11.reference.csv.gz');

const clickhouse = await startClickHouse(t);
const client = clickhouse.client({ database: 'default' });
await client.command({ query: 'CREATE TABLE numbers_pairs (feature LowCardinality(String), side LowCardinality(String), value Float64) ENGINE = Memory' });
await client.command({ query: 'CREATE TABLE categories_pairs (feature LowCardinality(String), side LowCardinality(String), value Nullable(String)) ENGINE = Memory' });

async function insert(table: string, feature: string, reference: readonly unknown[], current: readonly unknown[]): Promise<void> {
  const values = [...reference.map((value) => [feature, 'reference', value]), ...current.map((value) => [feature, 'current', value])];
  await client.insert({ table, values, format: 'JSONCompactEachRow' });
}

const expand = (counts: Numbers): string[] => Object.entries(counts).flatMap(([category, rows]) => Array.from({ length: rows }, () => category));
for (const { id, type, reference, current } of pairs)
  if (type === 'numeric') await insert('numbers_pairs', id, (reference as (number | null)[]).map((value) => value ?? 'nan'), (current as (number | null)[]).map((value) => value ?? 'nan'));
  else await insert('categories_pairs', id, expand(reference as Numbers), expand(current as Numbers));
if (large !== undefined && existsSync(large)) {
  const read = (file: string): string[] => gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n').slice(1);
  await insert('numbers_pairs', 'n11', read(large), read(large.replace('reference', 'current')));
}

async function measure(profile: DriftProfile, source: 'numbers' | 'categories', samples = `${source}_pairs`): Promise<Row[]> {
  const answer = await client.query({ query: driftQuery(profile, source)!, query_params: { samples }, format: 'JSONEachRow' });
  return answer.json<Row>();
}

function hold(t: Test, name: string, got: number | string | null, wanted: number | string, tolerance: number): void {
  const [a, b] = [Number(got === 'inf' ? Infinity : got), Number(wanted)];
  t.ok(a === b || Math.abs(a - b) <= tolerance * Math.abs(b), `${name}: ${a}, expected ${b}`);
}
const STATISTIC = 1e-9;
const P_VALUE = 1e-6;

const EVIDENTLY_NAMES: Readonly<Record<string, string>> = { psi: 'psi', jensenshannon: 'jensenshannon', wasserstein: 'wasserstein_normed', ks: 'ks_p_value', chisquare: 'chisquare_p_value' };
const EVIDENTLY_CHOICES: Readonly<Record<string, RegExp>> = { psi: /PSI/, jensenshannon: /Jensen/, wasserstein: /Wasserstein/, ks: /K-S/, chisquare: /chi-square/, z: /Z-test/ };
const isP = (statistic: string): boolean => ['ks', 'chisquare', 'z'].includes(statistic);

t.test('evidently', async (t) => {
  const rows = [...await measure('evidently', 'numbers'), ...await measure('evidently', 'categories')];
  for (const { feature, statistic, value, distance, chosen } of rows) {
    const { evidently, scipy } = expected[feature]!;
    const wanted = evidently[EVIDENTLY_NAMES[statistic] ?? ''];
    if (wanted !== undefined) hold(t, `${feature} ${statistic}`, value, wanted, isP(statistic) ? P_VALUE : STATISTIC);
    if (statistic === 'ks') hold(t, `${feature} distance`, distance, scipy['ks_statistic']!, STATISTIC);
    if (statistic === 'chisquare' && feature.startsWith('c')) hold(t, `${feature} statistic`, distance, scipy.chisquare_goodness_of_fit.statistic, STATISTIC);
    if (chosen !== 1) continue;
    t.match(evidently.auto.metric, EVIDENTLY_CHOICES[statistic], `${feature}: the statistic that Evidently takes`);
    hold(t, `${feature} score`, value, evidently.auto.value, isP(statistic) ? P_VALUE : STATISTIC);
  }
  t.ok(rows.length >= 50, `${rows.length} figures`);
  t.same(rows.filter((row) => row.chosen === 1).map((row) => row.feature).sort(), [...new Set(rows.map((row) => row.feature))].sort(), 'one choice each');
});

t.test('nannyml', async (t) => {
  const rows = [...await measure('nannyml', 'numbers'), ...await measure('nannyml', 'categories')];
  for (const { feature, statistic, value, p } of rows) {
    const { nannyml } = expected[feature]!;
    hold(t, `${feature} ${statistic}`, value, nannyml[statistic]!, STATISTIC);
    if (statistic === 'chi2') hold(t, `${feature} p`, p, nannyml['chi2_p_value']!, P_VALUE);
  }
  t.ok(rows.length >= 60, `${rows.length} figures`);
});

t.test('native: scipy’s statistics and asymptotic p-values, the textbook index', async (t) => {
  for (const { feature, statistic, value, p } of [...await measure('native', 'numbers'), ...await measure('native', 'categories')]) {
    const { scipy, textbook } = expected[feature]!;
    const numeric = feature.startsWith('n');
    if (statistic === 'psi' && numeric) hold(t, `${feature} psi`, value, textbook['psi_10_reference_quantiles_eps_1e_4']!, STATISTIC);
    if (statistic === 'wasserstein_normed') hold(t, `${feature} wasserstein`, value, scipy['wasserstein_normed']!, STATISTIC);
    if (statistic === 'jensen_shannon' && !numeric) hold(t, `${feature} jensen_shannon`, value, scipy['jensenshannon_base_2']!, STATISTIC);
    if (statistic === 'ks') {
      hold(t, `${feature} ks`, value, scipy['ks_statistic']!, STATISTIC);
      hold(t, `${feature} ks p`, p, scipy['ks_p_asymp']!, P_VALUE);
    }
    if (statistic === 'chi_square' && !numeric) {
      hold(t, `${feature} chi_square`, value, scipy.chi2_contingency_no_correction.statistic, STATISTIC);
      hold(t, `${feature} chi_square p`, p, scipy.chi2_contingency_no_correction.p, P_VALUE);
    }
  }
});

t.test('the pair of 200,000 rows', { skip: large === undefined && 'shared/data/drift is not here: the estimated statistics of large samples are not held' }, async (t) => {
  t.equal((await measure('nannyml', 'numbers')).filter((row) => row.feature === 'n11').length, 4, 'was held above');
});

t.test('empty, constant, missing and tiny sides have defined figures', async (t) => {
  await client.command({ query: 'CREATE TABLE odd_pairs AS numbers_pairs' });
  const cases: Readonly<Record<string, readonly [reference: readonly unknown[], current: readonly unknown[]]>> = {
    all_missing: [[1, 2, 3], ['nan', 'nan']],
    no_reference: [[], [1, 2]],
    no_current: [[1, 2], []],
    infinite: [[1, 2, 3], ['inf', '-inf', 2]],
    one_each: [[1], [2]],
    constants: [[3, 3, 3], [4, 4]],
    constant_reference: [[3, 3, 3, 3], [1, 2, 3, 4]],
    negative: [[-2, -1, 0], [0, 1, 2]],
    huge: [[1e300, 2e300], [1e300, -1e300]],
    one_against_many: [[5], Array.from({ length: 11_000 }, (_, i) => i / 7)],
  };
  for (const [feature, [reference, current]] of Object.entries(cases)) await insert('odd_pairs', feature, reference, current);
  for (const profile of ['evidently', 'nannyml', 'native'] as const) {
    const rows = await measure(profile, 'numbers', 'odd_pairs');
    const compared = [...new Set(rows.filter((row) => row.statistic !== 'missing_rate').map((row) => row.feature))];
    t.same(['all_missing', 'no_reference', 'no_current'].filter((name) => compared.includes(name)), [], `${profile}: nothing is compared with nothing`);
    t.ok(compared.includes('one_each') && compared.includes('constants'), profile);
    t.same(rows.filter(({ value, p }) => typeof value !== 'number' || (p !== null && p !== undefined && !(p >= 0 && p <= 1))), [], `${profile}: no NaN, no infinity`);
  }
  const native = await measure('native', 'numbers', 'odd_pairs');
  const of = (feature: string, statistic: string): Row | undefined => native.find((row) => row.feature === feature && row.statistic === statistic);
  t.match(of('all_missing', 'missing_rate'), { value: 1, baseline: 0, n: 2, n_reference: 3 });
  t.equal(of('all_missing', 'ks'), undefined);
  t.match(of('infinite', 'missing_rate'), { value: 2 / 3, baseline: 0 }, 'infinities count as missing');
  t.match(of('constants', 'ks'), { value: 1 });
  t.match(of('constants', 'out_of_range_rate'), { value: 1 });
  t.match(of('constants', 'new_category_rate'), { value: 1 });
  t.match(of('constant_reference', 'new_category_rate'), { value: 0.75 });
  // Four of the seven pooled values are the window's: both of the largest are so with a chance of 4/7 * 3/6, either end counts.
  await insert('odd_pairs', 'range', [1, 2, 3], [2, 4, 5, 2]);
  const range = (await measure('native', 'numbers', 'odd_pairs')).find((row) => row.feature === 'range' && row.statistic === 'out_of_range_rate')!;
  hold(t, 'out of range', range.p, 2 * (4 / 7) * (3 / 6), STATISTIC);
  hold(t, 'out of range rate', range.value, 0.5, STATISTIC);
});

t.test('a new category: a rate of its own, infinite only where Evidently has it so', async (t) => {
  const row = async (profile: DriftProfile, statistic: string): Promise<Row> => (await measure(profile, 'categories')).find((one) => one.feature === 'c02' && one.statistic === statistic)!;
  t.match(await row('native', 'new_category_rate'), { value: 0.06, n: 1000, n_reference: 1000 });
  t.match(await row('evidently', 'chisquare'), { value: 0, distance: 'inf' });
});

t.test('samples of any kind and size give finite figures', async (t) => {
  const seed = seedOf(20_260_105);
  t.comment(`seed ${seed}`);
  const random = randomOf(seed);
  await client.command({ query: 'CREATE TABLE random_pairs AS numbers_pairs' });
  const draw = (kind: number): unknown => (random() < 0.1 ? 'nan' : [random(), Math.floor(random() * 4), Math.exp(random() * 80 - 40), -random() * 1e-9, 7, random() < 0.8 ? 0 : random() * 1e6][kind]!);
  const sizes = (): number => Math.floor(Math.exp(random() * 6));
  for (let i = 0; i < 60; i++)
    await insert('random_pairs', `f${i}`, Array.from({ length: sizes() }, () => draw(i % 6)), Array.from({ length: sizes() }, () => draw(Math.floor(i / 10))));
  for (const profile of ['evidently', 'nannyml', 'native'] as const) {
    const rows = await measure(profile, 'numbers', 'random_pairs');
    t.ok(rows.length > 200, `${profile}: ${rows.length} figures`);
    t.same(rows.filter(({ value, p }) => typeof value !== 'number' || (p !== null && p !== undefined && !(p >= 0 && p <= 1))), [], profile);
  }
});
