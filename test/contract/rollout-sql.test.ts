import type { Session } from 'chdb';
import t, { type Test } from 'tap';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrations } from '../../clickhouse/migration-files.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { openEngine } from '../support/engine.js';
import { seeded, seedOf } from '../support/random.js';

const SEED = seedOf(3);
t.comment(`seed ${SEED}`);
t.setTimeout(120_000);

/** The same by loops over sorted arrays. */
function psiOf(champion: readonly number[], challenger: readonly number[]): number {
  const sorted = [...champion].sort((a, b) => a - b);
  const quantile = (p: number): number => { const at = p * (sorted.length - 1); const low = Math.floor(at); return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!); };
  const edges = [...new Set([1, 2, 3, 4, 5, 6, 7, 8, 9].map((d) => quantile(d / 10)))];
  const share = (all: readonly number[], bin: number): number => (all.filter((v) => edges.filter((edge) => v > edge).length === bin).length + 0.5) / (all.length + 0.5 * (edges.length + 1));
  let psi = 0;
  for (let bin = 0; bin <= edges.length; bin++) { const [p, q] = [share(champion, bin), share(challenger, bin)]; psi += (q - p) * Math.log(q / p); }
  return psi;
}
const ksOf = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...[...a, ...b].map((v) => Math.abs(a.filter((x) => x <= v).length / a.length - b.filter((x) => x <= v).length / b.length)));

async function openTables(t: Test): Promise<Session> {
  const session = openEngine(t);
  for (const { statements } of await readMigrations()) for (const statement of statements) await session.queryAsync(statement);
  return session;
}
const insert = (session: Session, table: string, rows: readonly object[]): Promise<unknown> => session.insert({ table, values: Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')), format: 'JSONEachRow' });
/** The one row of a query; a value that is not finite fails. */
async function askOf(session: Session, query: string, parameters: Record<string, string | number>): Promise<Record<string, number>> {
  let text = readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', `${query}.sql`), 'utf8');
  for (const [name, value] of Object.entries(parameters)) text = text.replaceAll(new RegExp(`\\{${name}:\\w+\\}`, 'g'), String(value));
  const row = JSON.parse((await session.queryAsync(text, { format: 'JSONEachRow' })).text()) as Record<string, string | number | null>;
  return Object.fromEntries(Object.entries(row).map(([name, value]) => {
    if (value === null) throw new Error(`${query}: ${name} is not finite`);
    return [name, Number(value)];
  }));
}

t.test('the figures of a trial are those of its own step’s rows, PSI and KS as defined', async (t) => {
  const session = await openTables(t);
  const random = seeded(SEED);
  const grid = (v: number): number => Math.round(Math.min(1, Math.max(0, v)) * 1e4) / 1e4;
  const pairs = Array.from({ length: 3000 }, () => { const a = random(); return [grid(a), grid(a * 0.7 + random() * 0.2)] as const; });
  const base = { customer_id: 'c', event_time: 1_700_000_000_000, mode: 'canary', share: 0.25, champion_version: 'a', challenger_version: 'b', scored_at: 1_800_000_000_000 };
  const rows = pairs.map(([champion_score, challenger_score], i) => ({
    ...base, customer_id: `c${i % 70}`, event_time: base.event_time + i * 1000, champion_score, challenger_score, champion_degraded: i % 100 === 0, challenger_degraded: i % 10 === 0, champion_us: 5, challenger_us: i % 20 === 0 ? 90 : 7,
  }));
  const others = [{ share: 0.05 }, { mode: 'shadow' }, { champion_version: 'x' }, { challenger_version: 'x' }, { scored_at: 1_790_000_000_000 }]
    .flatMap((change) => Array.from({ length: 50 }, () => ({ ...base, champion_score: 0, challenger_score: 1, ...change })));
  const lines = [...rows, ...others].map((row, i) => JSON.stringify({ ...row, prediction_id: `0-${i}`, kafka_offset: i }));
  await session.insert({ table: 'shadow_predictions', values: Buffer.from(lines.join('\n')), format: 'JSONEachRow' });
  const ask = (query: string, mode: string, champion = 'a'): Promise<Record<string, number>> => askOf(session, query, { challenger: "'b'", champion: `'${champion}'`, mode: `'${mode}'`, share: 0.25, since_ms: 1_795_000_000_000, rows_max: 200_000 });
  t.same(await ask('rollout_counts', 'canary'), { rows: 3000, customers: 70, event_from_ms: 1_700_000_000_000, event_to_ms: 1_700_000_000_000 + 2999 * 1000 });
  const found = await ask('rollout_pairs', 'canary');
  t.match(found, { champion_error_share: 0.01, challenger_error_share: 0.1, champion_us: 5, challenger_us: 7 });
  const [a, b] = [pairs.map(([v]) => v), pairs.map(([, v]) => v)];
  t.ok(Math.abs(found['psi']! - psiOf(a, b)) < 1e-9, `PSI ${found['psi']}, ${psiOf(a, b)}`);
  t.ok(Math.abs(found['ks']! - ksOf(a, b)) < 1e-9, `KS ${found['ks']}, ${ksOf(a, b)}`);
  t.match(await ask('rollout_counts', 'shadow'), { rows: 50 }, 'in shadow every share is the step’s');
  const constant = await ask('rollout_pairs', 'shadow');
  t.ok(constant['ks'] === 1 && constant['psi']! > 5, `constants at both ends: PSI ${constant['psi']}`);
  t.match(await ask('rollout_counts', 'canary', 'nobody'), { rows: 0 });
});

interface Pair { readonly prediction_id: string; readonly customer_id: string; readonly champion_score: number; readonly challenger_score: number; readonly churned: number | undefined }

/** Log loss of the challenger minus the champion's, and its size in standard errors over customers, by loops. */
function lossOf(pairs: readonly Pair[]): { rows: number; difference: number; z: number } {
  const labelled = pairs.filter(({ churned }) => churned !== undefined);
  const lossAt = (score: number, churned: number | undefined): number => -Math.log(Math.max(1e-6, churned === 1 ? score : 1 - score));
  const byCustomer = new Map<string, number[]>();
  for (const { customer_id, champion_score, challenger_score, churned } of labelled)
    byCustomer.set(customer_id, [...(byCustomer.get(customer_id) ?? []), lossAt(challenger_score, churned) - lossAt(champion_score, churned)]);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const difference = sum([...byCustomer.values()].map(sum)) / labelled.length;
  const n = byCustomer.size;
  const squares = sum([...byCustomer.values()].map((all) => (sum(all) - difference * all.length) ** 2));
  return { rows: labelled.length, difference, z: (difference * labelled.length) / Math.sqrt((squares * n) / (n - 1)) };
}

t.test('the losses of a trial are those of its rows with a label, the same as by loops; without labels none', async (t) => {
  const session = await openTables(t);
  const random = seeded(SEED + 1);
  const START = 1_699_999_200_000; // a full hour
  const score = (): number => (random.chance(0.02) ? random.below(2) : Math.round(random() * 1e4) / 1e4);
  const pairs = Array.from({ length: 4000 }, (_, i): Pair => ({
    prediction_id: `0-${i}`, customer_id: `c${random.below(90)}`, champion_score: score(), challenger_score: score(), churned: i < 3500 && random.chance(0.8) ? random.below(2) : undefined,
  }));
  const stored = (pair: Pair, i: number, more: object = {}): object => {
    const { churned: _, ...rest } = pair;
    return { ...rest, event_time: START + i * 60_000, mode: i < 1000 ? 'shadow' : 'canary', share: i < 1000 ? 0 : 0.2, champion_version: 'a', challenger_version: 'b', scored_at: START + i, ...more };
  };
  const others = [{ champion_version: 'x' }, { challenger_version: 'x' }, { champion_degraded: true }, { challenger_degraded: true }, { scored_at: START - 1 }];
  await insert(session, 'shadow_predictions', [...pairs.map((pair, i) => stored(pair, i)), ...others.flatMap((more, k) => [0, 1, 2].map((i) => stored({ ...pairs[i]!, prediction_id: `9-${k * 3 + i}` }, i, more)))]);
  const ask = (horizon_days = 30, rows_max = 200_000): Promise<Record<string, number>> => askOf(session, 'rollout_losses', { challenger: "'b'", champion: "'a'", since_ms: START, horizon_days, rows_max });
  const close = (found: Record<string, number>, expected: Record<string, number>): void => {
    for (const [name, value] of Object.entries(expected)) t.ok(Math.abs(found[name]! - value) <= 1e-9 * Math.max(1, Math.abs(value)), `${name} ${found[name]}, ${value}`);
  };
  const label = (pair: { prediction_id: string; customer_id: string }, i: number, churned: number, more: object = {}): object => ({ horizon_days: 30, prediction_id: pair.prediction_id, customer_id: pair.customer_id, event_time: START + i * 60_000, churned, revision: START, ...more });
  t.same(await ask(), { rows: 0, difference: 0, z: 0 }, 'no label at all');

  const labels = pairs.flatMap((pair, i) => (pair.churned === undefined ? [] : [{ pair, i, churned: pair.churned }]));
  await insert(session, 'labelled_predictions', [
    ...labels.map(({ pair, i, churned }) => label(pair, i, i % 7 === 0 ? 1 - churned : churned)),
    ...labels.slice(0, 50).map(({ pair, i }) => label({ ...pair, customer_id: 'other' }, i, 0)),
    ...Array.from({ length: 15 }, (_, k) => label({ ...pairs[k % 3]!, prediction_id: `9-${k}` }, k % 3, 1)),
  ]);
  await insert(session, 'labelled_predictions', labels.filter(({ i }) => i % 7 === 0).map(({ pair, i, churned }) => label(pair, i, churned, { revision: START + 1 })));
  close(await ask(), lossOf(pairs));
  const known = pairs.slice(0, Math.ceil((labels.at(-1)!.i + 1) / 60) * 60);
  close(await ask(30, 500), lossOf(known.slice(-500)));
  t.same(await ask(14), { rows: 0, difference: 0, z: 0 }, 'labels of another horizon are others');

  await insert(session, 'labelled_predictions', [label(pairs[0]!, 0, 1, { horizon_days: 7 })]);
  t.match(await ask(7), { rows: 1, z: 0 }, 'one customer is no evidence');
  await session.queryAsync("ALTER TABLE shadow_predictions UPDATE champion_score = 0.5, challenger_score = 0.25 WHERE 1 SETTINGS mutations_sync = 1");
  await insert(session, 'labelled_predictions', pairs.map((pair, i) => label(pair, i, 1, { horizon_days: 60 })));
  const same = await ask(60);
  close(same, { rows: 4000, difference: Math.log(2) });
  t.ok(same['z']! > 1000, `the same for all: z ${same['z']}`);
});
