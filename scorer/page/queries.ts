import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { histogramQuery } from '../../clickhouse/drift-queries.js';
import { onClickHouse, type ClickHouseClient, type ClickHouseTarget } from '../../runtime/clickhouse.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';

export type PageQuery = (name: string, params: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<Record<string, unknown>[]>;

/** Questions of the page to ClickHouse, by statement. */
export type QueryCounts = ReadonlyMap<string, { readonly answered: number; readonly failed: number }>;

/** Longest that ClickHouse itself works on one question of the page; who asks gives up earlier. */
const EXECUTION_S_MAX = 20;
const NAMES = ['versions', 'ledger', 'retrains', 'dead_letters', 'performance', 'look', 'drift', 'customer_events', 'customer_scores'] as const;

/** Runs the statements of clickhouse/queries/page_*.sql, and `distributions`, which the drift service compares. */
export function createPageQuery(client: ClickHouseClient, target: ClickHouseTarget): { readonly query: PageQuery; readonly counts: QueryCounts } {
  const statements = new Map<string, string>(NAMES.map((name) => [name, readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', `page_${name}.sql`), 'utf8')]));
  statements.set('distributions', histogramQuery());
  const counts = new Map([...statements.keys()].map((name) => [name, { answered: 0, failed: 0 }]));
  const ask: PageQuery = (name, params, signal) => onClickHouse(target, `page ${name}`, async () => {
    const answer = await client.query({
      query: statements.get(name) as string, query_params: { ...params }, format: 'JSONEachRow', abort_signal: signal,
      clickhouse_settings: {
        output_format_json_quote_64bit_integers: 0, output_format_json_quote_denormals: 0, max_execution_time: EXECUTION_S_MAX, max_threads: 2,
        // Plans of deep statements that cost more than they gain (stream-processors/drift/report.ts).
        optimize_and_compare_chain: 0, compile_expressions: 0,
      },
    });
    return answer.json<Record<string, unknown>>();
  });
  const query: PageQuery = async (name, params, signal) => {
    const count = counts.get(name) as { answered: number; failed: number };
    try {
      const rows = await ask(name, params, signal);
      count.answered++;
      return rows;
    } catch (error) {
      count.failed++;
      throw error;
    }
  };
  return { query, counts };
}
