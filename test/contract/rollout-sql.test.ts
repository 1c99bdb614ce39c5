import t from 'tap';
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

t.test('the figures of a trial are those of its own step’s rows, PSI and KS as defined', async (t) => {
  const session = openEngine(t);
  for (const { name, statements } of await readMigrations())
    if (/model_versions|model_ledger/.test(name)) for (const statement of statements) await session.queryAsync(statement);
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
  const ask = async (query: string, mode: string, champion = 'a'): Promise<Record<string, number>> => {
    let text = readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', `${query}.sql`), 'utf8');
    for (const [name, value] of Object.entries({ challenger: "'b'", champion: `'${champion}'`, mode: `'${mode}'`, share: 0.25, since_ms: 1_795_000_000_000, rows_max: 200_000 })) text = text.replaceAll(new RegExp(`\\{${name}:\\w+\\}`, 'g'), String(value));
    const row = JSON.parse((await session.queryAsync(text, { format: 'JSONEachRow' })).text()) as Record<string, string | number>;
    return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
  };
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
