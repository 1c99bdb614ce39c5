import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { driftQuery } from '../../clickhouse/drift-queries.js';
import { migrate } from '../../clickhouse/migrate.js';
import { clickHouseUrl, createClickHouse } from '../../runtime/clickhouse.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { BINS_PER_DOUBLING, MISSING_BIN, POSITIVE_ORIGIN } from '../../schemas/drift/bins.js';
import { featureNames } from '../../schemas/features/derive.js';
import { customerActivity } from '../../schemas/features/customer-activity.js';
import type { FeatureProfile } from '../../schemas/events/model.js';
import { measureDrift } from '../../stream-processors/drift/report.js';
import { startCluster } from '../support/cluster.js';
import { insertProfile } from '../support/drift.js';

/**
 * The cost of drift: a report of all features and the score over the hourly aggregates of N predictions, the aggregates made
 * in ClickHouse as landing would leave them; and Evidently's preset beside the same statistics in SQL, over the same raw rows
 * (EVIDENTLY_PYTHON: a Python that has evidently; RAW_ROWS a side, RAW_TURNS times in turn). Medians of ROUNDS.
 */
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const RAW_ROWS = Number(process.env['RAW_ROWS'] ?? 1_000_000);
const RAW_TURNS = Number(process.env['RAW_TURNS'] ?? 2);
const SIZES = (process.env['SIZES'] ?? '1000000,10000000,100000000').split(',').filter((size) => size !== '').map(Number);
const HOURS = 24 * 30;
const START = Date.UTC(2026, 0, 1) / 1000;
/** Bins each side of a feature's median: values spread over e^±4. */
const BINS_EACH_SIDE = 180;
const SPREAD_BINS = 45;
const FEATURES = featureNames(customerActivity);
const ends: (() => Promise<void>)[] = [];
const { settings, pids } = await startCluster({ teardown: (end: () => Promise<void>) => ends.push(end) }, { clickhouse: true });
const client = createClickHouse(settings, { requestTimeoutMs: 600_000 });
const command = (query: string): Promise<unknown> => client.command({ query });
const number = async (query: string): Promise<number> => Number((await (await client.query({ query, format: 'JSONEachRow' })).json<{ x: string | number }>())[0]!.x);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const print = (line: Readonly<Record<string, unknown>>): void => console.log(JSON.stringify({ bench: 'drift', ...line }));
/** CPU of the ClickHouse process so far, ms; 0 where there is no /proc. */
function cpuMs(): number {
  try {
    const [user, system] = readFileSync(`/proc/${pids.clickhouse}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13).map(Number);
    return (user! + system!) * 10;
  } catch {
    return 0;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

try {
  await migrate(client, settings);
  await insertProfile(client, 'churn', 'v1', ['score', ...FEATURES].map(profileOf));
  await aggregates();
  if (RAW_ROWS > 0) await beside();
} finally {
  await client.close();
  for (const end of ends.reverse()) await end();
}

/** The report's time as predictions, and the aggregates with them, grow tenfold. */
async function aggregates(): Promise<void> {
  const middle = (START + (HOURS / 2) * 3600) * 1000;
  const request = { model: 'churn', modelVersion: 'v1', window: { from: middle, to: (START + HOURS * 3600) * 1000 }, previous: { from: START * 1000, to: middle }, segments: [] };
  for (const predictions of SIZES) {
    await command('TRUNCATE TABLE feature_hours');
    const perHour = predictions / HOURS;
    for (const [place, feature] of ['score', ...FEATURES].entries()) await command(hoursOf(feature, place, perHour));
    await command('OPTIMIZE TABLE feature_hours FINAL');
    const rows = await number('SELECT count() AS x FROM feature_hours');
    const landed = await number("SELECT sum(rows) AS x FROM feature_hours WHERE feature = 'score'");
    let figures = 0;
    const first = await timed(async () => { figures = (await measureDrift(client, request)).length; });
    const took: number[] = [];
    const cpu = cpuMs();
    for (let i = 0; i < ROUNDS; i++) took.push(await timed(() => measureDrift(client, request)));
    print({ what: 'report over hourly aggregates', features: FEATURES.length + 1, predictions: landed, aggregate_rows: rows, figures, first_ms: Math.round(first), median_ms: Math.round(median(took)), lowest_ms: Math.round(Math.min(...took)), highest_ms: Math.round(Math.max(...took)), cpu_ms: Math.round((cpuMs() - cpu) / ROUNDS), load: Number(loadavg()[0]!.toFixed(1)), ns_per_prediction: Number(((median(took) * 1e6) / landed).toFixed(2)), ns_per_aggregate_row: Math.round((median(took) * 1e6) / rows) });
  }
}

/** A feature's hours: a bell over the logarithm of its values, a fifth zeros, one in twenty missing; counts rounded up or down by chance. */
function hoursOf(feature: string, place: number, perHour: number): string {
  const centre = POSITIVE_ORIGIN + BINS_PER_DOUBLING * (place % 7);
  const bins = 2 * BINS_EACH_SIDE + 2;
  return `INSERT INTO feature_hours SELECT toDateTime(${START} + 3600 * hour, 'UTC'), 'v1', if(trigger = 0, 'event', 'sweep'), '${feature}', toInt16(bin), toUInt64(floor(expected + randCanonical(number))) AS rows,
      if(bin = ${MISSING_BIN}, 0, rows * middle), if(bin = ${MISSING_BIN}, 0, rows * middle * middle), if(bin = ${MISSING_BIN}, 0, middle), if(bin = ${MISSING_BIN}, 0, middle)
    FROM (
      SELECT number, intDiv(number, ${2 * bins}) AS hour, intDiv(number, ${bins}) % 2 AS trigger, number % ${bins} AS i,
        multiIf(i = 0, 0, i = 1, ${MISSING_BIN}, ${centre} - ${BINS_EACH_SIDE} - 2 + i) AS bin, if(bin = 0, 0, exp2((bin - ${POSITIVE_ORIGIN} + 0.5) / ${BINS_PER_DOUBLING})) AS middle,
        ${perHour} / 2 * multiIf(i = 0, 0.2, i = 1, 0.05, 0.75 * exp(-pow((bin - ${centre}) / ${SPREAD_BINS}, 2) / 2) / ${SPREAD_BINS * Math.sqrt(2 * Math.PI)}) AS expected
      FROM numbers(${HOURS * 2 * bins})
    ) WHERE rows > 0`;
}

function profileOf(feature: string, place: number): FeatureProfile {
  const centre = POSITIVE_ORIGIN + BINS_PER_DOUBLING * (place % 7);
  const bins = [0, ...Array.from({ length: 2 * BINS_EACH_SIDE }, (_, i) => centre - BINS_EACH_SIDE + i), MISSING_BIN];
  const rows = bins.map((bin) => Math.round(400_000 * (bin === 0 ? 0.2 : bin === MISSING_BIN ? 0.05 : (0.75 * Math.exp(-(((bin - centre) / SPREAD_BINS) ** 2) / 2)) / (SPREAD_BINS * Math.sqrt(2 * Math.PI)))));
  return { feature, segment: '', bins, rows, total: 0, squares: 0, low: 0, high: 1e9 };
}

/** Evidently's preset and SQL over the same rows on each side, in turn; the scores must agree. */
async function beside(): Promise<void> {
  const column = (i: number): string => `if(rand(${i}) % 20 = 0, nan, exp(randNormal(${(i % 5) / 10}, 1, ${i}) + ${i % 4 === 0 ? 0.05 : 0} * (number % 2)))`;
  await command(`CREATE TABLE bench_rows (side Enum8('reference' = 0, 'current' = 1), ${FEATURES.map((name) => `${name} Float64`).join(', ')}) ENGINE = MergeTree ORDER BY side`);
  await command(`INSERT INTO bench_rows SELECT number % 2, ${FEATURES.map((_, i) => column(i)).join(', ')} FROM numbers(${2 * RAW_ROWS}) SETTINGS min_insert_block_size_rows = 1000000`);
  for (const name of FEATURES) await command(`CREATE VIEW bench_${name} AS SELECT '${name}' AS feature, toString(side) AS side, ${name} AS value FROM bench_rows`);
  const scores = new Map<string, number>();
  async function sql(): Promise<void> {
    for (const name of FEATURES) {
      const answer = await client.query({ query: driftQuery('evidently', 'numbers')!, query_params: { samples: `bench_${name}` }, format: 'JSONEachRow' });
      for (const row of await answer.json<{ feature: string; statistic: string; value: number; chosen: number }>()) if (row.chosen === 1) scores.set(row.feature, row.value);
    }
  }
  const python = process.env['EVIDENTLY_PYTHON'];
  if (python === undefined) return print({ what: 'evidently', skipped: 'EVIDENTLY_PYTHON names no Python with evidently', sql_ms: Math.round(await timed(sql)) });
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  try {
    for (const side of ['reference', 'current'] as const) {
      const url = `${clickHouseUrl(settings)}/?database=${settings.CLICKHOUSE_DATABASE}`;
      const answer = await fetch(url, { method: 'POST', body: `SELECT ${FEATURES.join(', ')} FROM bench_rows WHERE side = '${side}' FORMAT RowBinary` });
      writeFileSync(join(folder, `${side}.f64`), Buffer.from(await answer.arrayBuffer()));
    }
    const turns: { sql_ms: number; sql_cpu_ms: number; evidently_ms: number; evidently_cpu_ms: number; evidently_peak_mib: number }[] = [];
    let theirs: Record<string, number> = {};
    for (let turn = 0; turn < RAW_TURNS; turn++) {
      const cpu = cpuMs();
      const sql_ms = await timed(sql);
      const sql_cpu_ms = cpuMs() - cpu;
      const done = spawnSync(python, [join(PROJECT_ROOT, 'test', 'bench', 'peers', 'evidently_preset.py'), folder, ...FEATURES], { encoding: 'utf8', env: { ...process.env, DO_NOT_TRACK: '1' }, maxBuffer: 64 * 1024 * 1024 });
      if (done.status !== 0) throw new Error(done.stderr);
      const { seconds, cpu_seconds, peak_mib, scores: found } = JSON.parse(done.stdout.trim().split('\n').at(-1)!) as { seconds: number; cpu_seconds: number; peak_mib: number; scores: Record<string, number> };
      theirs = found;
      turns.push({ sql_ms: Math.round(sql_ms), sql_cpu_ms, evidently_ms: Math.round(seconds * 1000), evidently_cpu_ms: Math.round(cpu_seconds * 1000), evidently_peak_mib: Math.round(peak_mib) });
    }
    const difference = Math.max(...Object.entries(theirs).map(([name, value]) => Math.abs((scores.get(name) ?? NaN) - value) / Math.abs(value)));
    print({ what: 'evidently preset beside its statistics in SQL', rows_each_side: RAW_ROWS, features: FEATURES.length, turns, scores: Object.keys(theirs).length, largest_relative_difference: difference, evidently: execFileSync(python, ['-c', 'import importlib.metadata as m; print(m.version("evidently"))'], { encoding: 'utf8' }).trim() });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
