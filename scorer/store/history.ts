import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClickHouse, onClickHouse, type ClickHouseTarget } from '../../runtime/clickhouse.js';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';

export interface HistoryRow {
  readonly kind: 'stream' | 'api';
  readonly prediction_id: string;
  readonly event_time: string;
  readonly scored_at: string;
  readonly score: number;
  readonly decision: string;
  readonly model_version: string;
  readonly degraded: boolean;
}

/** Rows, or why there are none to be had now. */
export type HistoryAnswer = readonly HistoryRow[] | { readonly unavailable: string };

export interface History {
  of(customerId: string, rows: number): Promise<HistoryAnswer>;
  /** It is left alone after a failure. */
  paused(): boolean;
  close(): Promise<void>;
}

export const HISTORY_ROWS_MAX = 1000;
const DEADLINE_MS = 2000;
/** Questions at once; a customer's page must not become a load on ClickHouse. */
const AT_ONCE_MAX = 8;
/** After a failure nobody waits for the deadline again for so long. */
const PAUSE_MS = 5000;

type Row = Omit<HistoryRow, 'event_time' | 'scored_at'> & { event_time: string; scored_at: string };

/** The landed scores of a customer. Never throws and never waits longer than the deadline: without ClickHouse the customer is still answered. */
export function createHistory(target: ClickHouseTarget, log: Log, now: () => number = Date.now): History {
  const query = readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', 'customer_history.sql'), 'utf8');
  const client = createClickHouse(target, { maxOpenConnections: AT_ONCE_MAX, requestTimeoutMs: DEADLINE_MS });
  let asking = 0;
  let pausedUntil = 0;

  return {
    async of(customerId, rows) {
      if (now() < pausedUntil) return { unavailable: 'ClickHouse did not answer a moment ago' };
      if (asking >= AT_ONCE_MAX) return { unavailable: `${AT_ONCE_MAX} histories are being read, which is the most at once` };
      asking++;
      try {
        const found = await onClickHouse(target, 'history of a customer', async () => (await client.query({
          query, query_params: { customer_id: customerId, rows }, format: 'JSONEachRow', abort_signal: AbortSignal.timeout(DEADLINE_MS),
          clickhouse_settings: { max_execution_time: DEADLINE_MS / 1000, readonly: '2' },
        })).json<Row>());
        return found.map((row) => ({ ...row, event_time: new Date(Number(row.event_time)).toISOString(), scored_at: new Date(Number(row.scored_at)).toISOString() }));
      } catch (error) {
        if (now() >= pausedUntil) log.warn('history_unavailable', { message: messageOf(error) });
        pausedUntil = now() + PAUSE_MS;
        return { unavailable: 'ClickHouse did not answer in time' };
      } finally {
        asking--;
      }
    },
    paused: () => now() < pausedUntil,
    close: () => client.close(),
  };
}
