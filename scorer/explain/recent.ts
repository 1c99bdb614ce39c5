import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClickHouse, onClickHouse, type ClickHouseTarget } from '../../runtime/clickhouse.js';
import { messageOf } from '../../runtime/errors.js';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { createBreaker, type BreakerState } from '../core/breaker.js';
import type { LandedPrediction } from './core/moves.js';

/** The customer's last landed predictions, oldest first, or why there are none to be had now. */
export type RecentPredictions = (customerId: string) => Promise<readonly LandedPrediction[] | { readonly unavailable: string }>;

export interface RecentReader {
  readonly read: RecentPredictions;
  /** Of the breaker between the scorer and ClickHouse. */
  state(): { readonly state: BreakerState; readonly opened: number; readonly reason?: string };
  close(): Promise<void>;
}

/** One more than the events that are told, for the score before the first. */
export const RECENT_ROWS = 11;
const CONNECTIONS_MAX = 2;
const ASKING_MAX = 8;
const DEADLINE_MS = 1500;
const BREAKER = { failures_max: 3, pause_ms: 2000, pause_ms_max: 30_000 };

const SQL = (): string => readFileSync(join(PROJECT_ROOT, 'clickhouse', 'queries', 'customer_recent.sql'), 'utf8');

/** Asks ClickHouse, within a deadline, a bound on questions at a time, and a breaker; a score never waits for it. */
export function createRecentReader(target: ClickHouseTarget, view: FeatureView, now: () => number = () => performance.now()): RecentReader {
  const client = createClickHouse(target, { maxOpenConnections: CONNECTIONS_MAX, requestTimeoutMs: DEADLINE_MS });
  const names = view.features.map(({ name }) => name);
  const query = SQL();
  const breaker = createBreaker(BREAKER);
  let asking = 0;
  let reason: string | undefined;

  async function ask(customerId: string): Promise<LandedPrediction[]> {
    const rows = await onClickHouse(target, 'recent predictions of a customer', async () => {
      const result = await client.query({ query, query_params: { customer: customerId, view_version: view.version, rows: RECENT_ROWS }, format: 'JSONEachRow', clickhouse_settings: { max_execution_time: Math.ceil(DEADLINE_MS / 1000) } });
      return result.json<Record<string, unknown>>();
    });
    return rows.map((row) => ({
      event_id: String(row['event_id']), event_type: row['event_type'] === '' ? null : String(row['event_type']), trigger: String(row['trigger']), event_time: Number(row['event_ms']),
      score: Number(row['score']), model_version: String(row['model_version']), values: names.map((name) => Number(row[name])),
    }));
  }

  return {
    async read(customerId) {
      if (asking >= ASKING_MAX) return { unavailable: `${asking} customers are being asked for, which is the most at a time` };
      if (!breaker.admits(now())) return { unavailable: `ClickHouse is left alone for a while after it failed: ${reason ?? ''}` };
      asking++;
      try {
        const rows = await ask(customerId);
        breaker.succeeded();
        reason = undefined;
        return rows;
      } catch (error) {
        breaker.failed(now());
        reason = messageOf(error);
        return { unavailable: reason };
      } finally {
        asking--;
      }
    },
    state: () => ({ state: breaker.state(now()), opened: breaker.opened, ...(reason === undefined ? {} : { reason }) }),
    close: () => client.close(),
  };
}
