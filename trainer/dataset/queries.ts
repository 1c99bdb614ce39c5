import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';

export type QueryParameters = Readonly<Record<string, string | number>>;

/** A statement of clickhouse/queries. */
export const sql = (name: string): string => readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', `${name}.sql`), 'utf8');

/** Rows of numbers; 64-bit ones come as text and stay below 2^53 here. */
export async function selectNumbers(client: ClickHouseClient, query: string, query_params: QueryParameters): Promise<Record<string, number>[]> {
  const answer = await client.query({ query, query_params, format: 'JSONEachRow' });
  const rows = await answer.json<Record<string, string | number>>();
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])));
}
