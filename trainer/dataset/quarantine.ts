import { onClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import type { SnapshotPlan } from '../core/plan.js';
import { sql } from './queries.js';

/** Event time [from, to), epoch milliseconds, that data is known to be broken in; channel empty: in all of them. */
export interface QuarantinedWindow {
  readonly from: number;
  readonly to: number;
  readonly channel: string;
  readonly cause: string;
}

/** The windows of the model that touch the plan's moments. @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED */
export async function readQuarantine({ client, settings }: { client: ClickHouseClient; settings: Settings }, plan: SnapshotPlan): Promise<QuarantinedWindow[]> {
  return onClickHouse(settings, 'training: quarantine', async () => {
    const answer = await client.query({
      query: sql('training_quarantine'), query_params: { model: settings.MODEL_NAME, train_after: plan.train.after, holdout_to: plan.holdout.to }, format: 'JSONEachRow',
    });
    return (await answer.json<Record<string, string>>()).map(({ from, to, channel, cause }) => ({ from: Number(from), to: Number(to), channel: channel!, cause: cause! }));
  });
}

/** training_spine.sql without the moments of these windows, which stand in its text: who has the query has the set. */
export function spineWithout(windows: readonly QuarantinedWindow[]): string {
  return sql('training_spine')
    .replace('__QUARANTINED_SNAPSHOT__', () => inside(windows, '_at', '_states._last_channel'))
    .replace('__QUARANTINED_EVENT__', () => inside(windows, '_latest', '_channel'));
}

function inside(windows: readonly QuarantinedWindow[], at: string, channel: string): string {
  if (windows.length === 0) return '0';
  const list = (values: readonly string[]): string => `[${values.join(', ')}]`;
  const of = (part: 'from' | 'to'): string => list(windows.map((window) => `toInt64(${window[part]})`));
  return `arrayExists((f, t, c) -> ${at} >= f AND ${at} < t AND (c = '' OR c = ${channel}), ${of('from')}, ${of('to')}, ${list(windows.map((window) => text(window.channel)))})`;
}

const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`;
