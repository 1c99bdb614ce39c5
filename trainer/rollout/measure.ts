import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Challenger } from '../../schemas/ledger/deployment.js';
import { selectNumbers, sql } from '../dataset/queries.js';
import type { LossDifference, PairFigures } from './core/figures.js';

/** Rows that distributions and losses are taken from: the latest ones. */
const ROWS_MAX = 200_000;

/**
 * What has landed of the challenger's present step; the losses are of its whole trial, for outcomes are known late.
 * @param horizon_days LABEL_HORIZON_DAYS
 */
export async function measurePairs(client: ClickHouseClient, champion: string, { version, mode, share, at, first_at }: Challenger, horizon_days: number): Promise<PairFigures> {
  const step = { champion, challenger: version, mode, share, since_ms: at };
  const [counts] = await selectNumbers(client, sql('rollout_counts'), step);
  const { rows, customers, event_from_ms, event_to_ms } = counts as { rows: number; customers: number; event_from_ms: number; event_to_ms: number };
  if (rows === 0)
    return { rows, customers, event_from_ms, event_to_ms, champion_error_share: 0, challenger_error_share: 0, champion_us: 0, challenger_us: 0, psi: 0, ks: 0, loss: undefined };
  const [[figures], [losses]] = await Promise.all([
    selectNumbers(client, sql('rollout_pairs'), { ...step, rows_max: ROWS_MAX }),
    selectNumbers(client, sql('rollout_losses'), { champion, challenger: version, since_ms: first_at, horizon_days, rows_max: ROWS_MAX }),
  ]);
  const loss = losses!['rows'] === 0 ? undefined : (losses as unknown as LossDifference);
  return { rows, customers, event_from_ms, event_to_ms, ...(figures as unknown as Omit<PairFigures, 'rows' | 'customers' | 'event_from_ms' | 'event_to_ms' | 'loss'>), loss };
}

/** Rows that the champion scored since a time, counted up to `rowsMax`. */
export async function championRows(client: ClickHouseClient, champion: string, since_ms: number, rowsMax: number): Promise<number> {
  const [row] = await selectNumbers(client, sql('rollout_champion_rows'), { champion, since_ms, rows_max: rowsMax });
  return row!['rows']!;
}
