import { createClickHouse, onClickHouse, type ClickHouseClient, type ClickHouseTarget } from '../runtime/clickhouse.js';
import { TidemarkError } from '../runtime/errors.js';
import type { Settings } from '../runtime/settings.js';
import { customerActivity } from '../schemas/features/customer-activity.js';
import type { FeatureView } from '../schemas/features/declaration.js';
import { addFeatureColumns, FEATURE_VIEWS } from './feature-columns.js';
import { readMigrations, type Migration } from './migration-files.js';
import { applyTtl } from './ttl.js';
import { applyViews } from './views.js';

export type MigrateSettings = ClickHouseTarget & Pick<Settings, 'EVENTS_TTL_DAYS' | 'PREDICTIONS_TTL_DAYS'>;

export interface MigrationReport {
  /** Names of the files that were applied now. */
  readonly applied: readonly string[];
  /** Feature columns that were added now. */
  readonly columnsAdded: readonly string[];
}

const RECORDS = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree ORDER BY number`;

/**
 * Brings the database to this version: creates it where it is missing, applies the numbered files that are not recorded yet,
 * adds the view's feature columns, writes the views, sets the TTLs. Nothing is done twice; several processes may run it at once.
 * @param client with the database of the settings
 * @throws TidemarkError MIGRATION_CHANGED, CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED
 */
export async function migrate(client: ClickHouseClient, settings: MigrateSettings, view: FeatureView = customerActivity, files?: readonly Migration[]): Promise<MigrationReport> {
  const migrations = files ?? await readMigrations();
  return onClickHouse(settings, 'migrate', async () => {
    await createDatabase(settings);
    await client.command({ query: RECORDS });
    const applied = await applyFiles(client, migrations);
    const columnsAdded = await applyView(client, view);
    await applyViews(client, view);
    await applyTtl(client, 'events', settings.EVENTS_TTL_DAYS);
    await applyTtl(client, 'predictions', settings.PREDICTIONS_TTL_DAYS);
    await applyTtl(client, 'shadow_predictions', settings.PREDICTIONS_TTL_DAYS);
    await applyTtl(client, 'labelled_predictions', settings.PREDICTIONS_TTL_DAYS);
    await applyTtl(client, 'api_predictions', settings.PREDICTIONS_TTL_DAYS);
    return { applied, columnsAdded };
  });
}

/** A user without the right to create databases can be given an existing one. */
async function createDatabase(settings: MigrateSettings): Promise<void> {
  const name = settings.CLICKHOUSE_DATABASE;
  const admin = createClickHouse(settings, { database: 'default' });
  try {
    const found = await rowsOf<{ name: string }>(admin, 'SELECT name FROM system.databases WHERE name = {name:String}', { name });
    if (found.length === 0) await admin.command({ query: `CREATE DATABASE IF NOT EXISTS \`${name}\`` });
  } finally {
    await admin.close();
  }
}

async function applyFiles(client: ClickHouseClient, migrations: readonly Migration[]): Promise<string[]> {
  const recorded = new Map((await rowsOf<{ number: number; checksum: string }>(client, 'SELECT number, checksum FROM schema_migrations FINAL'))
    .map((row) => [row.number, row.checksum]));
  const applied: string[] = [];
  for (const { number, name, checksum, statements } of migrations) {
    const before = recorded.get(number);
    if (before === checksum) continue;
    if (before !== undefined)
      throw new TidemarkError('MIGRATION_CHANGED', `migration ${name}: its file changed after it was applied (recorded ${before.slice(0, 12)}, now ${checksum.slice(0, 12)}); restore the file, and put the change into a new one with the next number`, { details: { name } });
    // Every statement can be repeated (IF NOT EXISTS), so that one cut short between here and its record is done again whole.
    for (const query of statements) await client.command({ query });
    await client.insert({ table: 'schema_migrations', values: [{ number, name, checksum }], format: 'JSONEachRow' });
    applied.push(name);
  }
  const newest = migrations.at(-1)?.number ?? 0;
  const ahead = [...recorded.keys()].filter((number) => number > newest);
  if (ahead.length > 0)
    throw new TidemarkError('MIGRATION_CHANGED', `migrations: the database is at number ${Math.max(...ahead)}, this version knows up to ${newest}; run the newer version of Tidemark, or give this one a database of its own (CLICKHOUSE_DATABASE)`);
  return applied;
}

async function applyView(client: ClickHouseClient, view: FeatureView): Promise<string[]> {
  const before = new Set((await rowsOf<{ name: string }>(client, "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'predictions'")).map((row) => row.name));
  const missing = view.features.map((feature) => feature.name).filter((name) => !before.has(name));
  const statements = addFeatureColumns(view).filter((_, index) => !before.has(view.features[index]?.name ?? ''));
  for (const query of statements) await client.command({ query });
  for (const { name, target, query } of FEATURE_VIEWS) await applyFeatureView(client, name, target, query(view));
  return missing;
}

async function applyFeatureView(client: ClickHouseClient, name: string, target: string, query: string): Promise<void> {
  const [wanted, current] = await Promise.all([
    rowsOf<{ query: string }>(client, 'SELECT formatQuerySingleLine({query:String}) AS query', { query }),
    rowsOf<{ query: string }>(client, 'SELECT formatQuerySingleLine(as_select) AS query FROM system.tables WHERE database = currentDatabase() AND name = {name:String}', { name }),
  ]);
  if (current.length === 0) await client.command({ query: `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name} TO ${target} AS ${query}` });
  else if (withoutDatabase(current[0]?.query) !== withoutDatabase(wanted[0]?.query)) await client.command({ query: `ALTER TABLE ${name} MODIFY QUERY ${query}` });
}

/** ClickHouse stores the view's query with the table's database before its name. */
const withoutDatabase = (query: string | undefined): string | undefined => query?.replace(/FROM (?:`?\w+`?\.)?`?predictions`?/, 'FROM predictions');

async function rowsOf<Row>(client: ClickHouseClient, query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> {
  return (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Row>();
}
