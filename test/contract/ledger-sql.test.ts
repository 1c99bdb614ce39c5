import t from 'tap';
import { readMigrations } from '../../clickhouse/migration-files.js';
import type { LedgerAction } from '../../schemas/events/ledger-entry.js';
import { deploymentOf, ROLLOUT, type LedgerStep } from '../../schemas/ledger/deployment.js';
import { openEngine } from '../support/engine.js';
import { seeded, seedOf } from '../support/random.js';

const SEED = seedOf(11);
t.comment(`seed ${SEED}`);
t.setTimeout(120_000);

const ACTIONS: readonly LedgerAction[] = ['registered', 'refused', 'shadow', 'canary', 'canary', 'promoted', 'promoted', 'rolled_back', 'retired'];
const VERSIONS = ['v1', 'v2', 'v3', 'v4'];
const MODELS = 120;

t.test('the view deployments folds random ledgers as the scorers do', async (t) => {
  const session = openEngine(t);
  for (const { name, statements } of await readMigrations())
    if (/model_versions|model_ledger/.test(name)) for (const statement of statements) await session.queryAsync(statement);
  const random = seeded(SEED);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const ledgers: { model: string; entries: LedgerStep[]; manifests: { version: string; stage: 'champion' | 'candidate' }[] }[] = [];
  let offset = 0;
  const rows: { ledger: string[]; versions: string[] } = { ledger: [], versions: [] };
  for (let m = 0; m < MODELS; m++) {
    const model = `m${m}`;
    const manifests = Array.from({ length: random.below(4) }, () => ({ version: pick(VERSIONS), stage: pick(['champion', 'candidate'] as const) }));
    const entries = Array.from({ length: random.below(25) }, (_, i): LedgerStep => ({
      entry_id: `${model}-${random.below(12) === 0 ? 0 : i}`, at: 1_700_000_000_000 + i, version: pick(VERSIONS), action: pick(ACTIONS), share: random() * 1.2 - 0.1,
      champion: random.below(3) === 0 ? pick(VERSIONS) : '', by: pick([ROLLOUT, 'trainer', 'user:ada']),
    }));
    ledgers.push({ model, entries, manifests });
    for (const { by, ...entry } of entries) rows.ledger.push(JSON.stringify({ ...entry, model, decided_by: by, kafka_offset: offset++ }));
    for (const manifest of manifests) rows.versions.push(JSON.stringify({ ...manifest, model, kafka_offset: offset++ }));
  }
  await session.insert({ table: 'model_ledger', values: Buffer.from(rows.ledger.join('\n')), format: 'JSONEachRow' });
  await session.insert({ table: 'model_versions', values: Buffer.from(rows.versions.join('\n')), format: 'JSONEachRow' });
  const found = new Map<string, { champion: string; champions: string[]; challenger: string; mode: string; share: number }>();
  const text = (await session.queryAsync('SELECT * FROM deployments', { format: 'JSONEachRow' })).text();
  for (const line of text.trim().split('\n')) {
    const row = JSON.parse(line) as { model: string; champion: string; champions: string[]; challenger: string; mode: string; share: number };
    found.set(row.model, row);
  }
  const differences = ledgers.flatMap(({ model, entries, manifests }) => {
    const { champion, champions, challenger } = deploymentOf(entries, manifests);
    const want = { champion: champion ?? '', champions: [...champions], challenger: challenger?.version ?? '', mode: challenger?.mode ?? '', share: challenger?.share ?? 0 };
    const { champion: c, champions: all, challenger: beside, mode, share } = found.get(model) ?? { champion: '', champions: [], challenger: '', mode: '', share: 0 };
    const got = { champion: c, champions: all, challenger: beside, mode, share };
    return JSON.stringify(got) === JSON.stringify(want) ? [] : [{ model, got, want }];
  });
  t.same(differences.slice(0, 3), []);
  t.ok([...found.values()].some(({ challenger }) => challenger !== '') && [...found.values()].some(({ champions }) => champions.length > 2));

  const stages = JSON.parse(`[${(await session.queryAsync('SELECT model, version, stage, share FROM models_now', { format: 'JSONEachRow' })).text().trim().split('\n').join(',')}]`) as { model: string; version: string; stage: string }[];
  t.equal(stages.length, new Set(ledgers.flatMap(({ model, manifests }) => manifests.map(({ version }) => `${model} ${version}`))).size);
  t.same(stages.filter(({ model, version, stage }) => (stage === 'champion') !== (found.get(model)!.champion === version)), []);
});
