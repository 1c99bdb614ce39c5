import type { ClickHouseClient } from '../../runtime/clickhouse.js';

/** The rows of a query; 64-bit integers come as text. */
export async function rowsOf<Row>(client: ClickHouseClient, query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> {
  return (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Row>();
}

/** Epoch milliseconds as a parameter of type DateTime64(3, 'UTC'). */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
