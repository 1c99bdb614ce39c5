import { onClickHouse, type ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { lookBackOf } from '../core/look-back.js';
import type { SnapshotPlan } from '../core/plan.js';
import { sql } from './queries.js';

/** Event time [from, to), epoch milliseconds, that data is known to be broken in; channel empty: in all of them. */
export interface QuarantinedWindow {
  readonly from: number;
  readonly to: number;
  readonly channel: string;
  readonly cause: string;
}

/** The windows of the model that touch the plan's moments, or what their features hold. @throws TidemarkError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_QUERY_FAILED */
export async function readQuarantine({ client, settings, view }: { client: ClickHouseClient; settings: Settings; view: FeatureView }, plan: SnapshotPlan): Promise<QuarantinedWindow[]> {
  return onClickHouse(settings, 'training: quarantine', async () => {
    const answer = await client.query({
      query: sql('training_quarantine'), query_params: { model: settings.MODEL_NAME, holdout_to: plan.holdout.to }, format: 'JSONEachRow',
    });
    const windows = (await answer.json<Record<string, string>>()).map(({ from, to, channel, cause }) => ({ from: Number(from), to: Number(to), channel: channel!, cause: cause! }));
    return windows.filter(({ to, cause }) => to + (lookBackOf(view, cause)?.ms ?? 0) > plan.train.after);
  });
}

/**
 * training_spine.sql without the moments of these windows, which stand in its text: who has the query has the set.
 * @param view whose features hold what was broken; undefined: moments after the windows stay
 */
export function spineWithout(windows: readonly QuarantinedWindow[], view?: FeatureView): string {
  return sql('training_spine')
    .replace('__HELD_MS__', () => held(windows, view))
    .replace('__QUARANTINED_SNAPSHOT__', () => inside(windows, '_at', '_states._last_channel'))
    .replace('__QUARANTINED_EVENT__', () => inside(windows, '_latest', '_channel'));
}

/** How long, ms, features hold a broken event; 0 for one that is not broken. */
function held(windows: readonly QuarantinedWindow[], view: FeatureView | undefined): string {
  const terms = windows.flatMap(({ from, to, channel, cause }) => {
    const lookBack = view === undefined ? undefined : lookBackOf(view, cause);
    if (lookBack === undefined) return [];
    const tests = [
      `_ms >= toInt64(${from}) AND _ms < toInt64(${to})`,
      ...(channel === '' ? [] : [`_channel = ${text(channel)}`]),
      ...(lookBack.types === null ? [] : [`event_type IN (${lookBack.types.map(text).join(', ')})`]),
      ...(lookBack.amount === null ? [] : [`amount IS ${lookBack.amount === 'missing' ? '' : 'NOT '}NULL`]),
    ];
    return [`if(${tests.join(' AND ')}, toInt64(${lookBack.ms}), toInt64(0))`];
  });
  return terms.length === 0 ? 'toInt64(0)' : `greatest(${terms.join(', ')}, toInt64(0))`;
}

function inside(windows: readonly QuarantinedWindow[], at: string, channel: string): string {
  if (windows.length === 0) return '0';
  const list = (values: readonly string[]): string => `[${values.join(', ')}]`;
  const of = (part: 'from' | 'to'): string => list(windows.map((window) => `toInt64(${window[part]})`));
  return `arrayExists((f, t, c) -> ${at} >= f AND ${at} < t AND (c = '' OR c = ${channel}), ${of('from')}, ${of('to')}, ${list(windows.map((window) => text(window.channel)))})`;
}

const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`;
