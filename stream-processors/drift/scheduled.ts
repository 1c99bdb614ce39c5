import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { landedRange, rowsOf } from './aggregates.js';
import type { EventDraft } from './core/draft.js';
import type { Decisions } from './decisions.js';
import { HOUR_MS } from './policy.js';
import { createSchedule } from './schedule.js';
import type { OtherReason } from './task.js';

interface Champion {
  readonly version: string;
  readonly created_at: number;
  readonly data_to: number;
}

/** The version that serves, as the ledger says it, and what it was trained on. */
export async function championOf(client: ClickHouseClient, model: string): Promise<Champion | undefined> {
  const [row] = await rowsOf<Champion>(client,
    `SELECT version, toUnixTimestamp64Milli(argMax(created_at, kafka_offset)) AS created_at, toUnixTimestamp64Milli(argMax(data_to, kafka_offset)) AS data_to
     FROM model_versions WHERE model = {model:String} AND version = (SELECT champion FROM deployments WHERE model = {model:String}) GROUP BY version`, { model });
  return row;
}

/** Retrainings by the calendar: RETRAIN_SCHEDULE on event time or wall clock, one for each time that is due, the latest where several were missed. */
export function scheduledReason(options: { settings: Settings; client: ClickHouseClient; decisions: Decisions; now?: () => number }): OtherReason | undefined {
  const { settings, client, decisions, now = Date.now } = options;
  if (settings.RETRAIN_SCHEDULE === undefined) return undefined;
  const schedule = createSchedule(settings.RETRAIN_SCHEDULE);
  const model = settings.MODEL_NAME;
  const prefix = `schedule/${model}/`;
  return async () => {
    const landed = await landedRange(client);
    const champion = await championOf(client, model);
    if (landed === undefined || champion === undefined) return undefined;
    const onEventTime = settings.RETRAIN_SCHEDULE_CLOCK === 'event';
    const last = decisions.last('schedule');
    const after = Math.max(onEventTime ? champion.data_to : champion.created_at, last === undefined ? 0 : Date.parse(last.dedupe_key.slice(prefix.length)));
    const due = schedule.lastIn(after, onEventTime ? landed.to : now());
    if (due === undefined) return undefined;
    return scheduledEvent(settings, champion, due, landed.to, `${prefix}${new Date(due).toISOString()}`);
  };
}

function scheduledEvent(settings: Settings, { version, data_to }: Champion, due: number, landedTo: number, dedupe_key: string): EventDraft {
  const fresh = landedTo > data_to;
  const at = new Date(due).toISOString();
  return {
    reason: 'schedule', decision: fresh ? 'retrain' : 'skip', model: settings.MODEL_NAME, model_version: version, window_from: Math.min(data_to, landedTo), window_to: landedTo, evidence: [],
    explanation: fresh
      ? `due at ${at} by RETRAIN_SCHEDULE=${settings.RETRAIN_SCHEDULE ?? ''}`
      : `due at ${at}, but nothing has landed since the data of ${version}: no retraining`,
    expected_gain: null, dedupe_key, cooldown_until: landedTo + settings.DRIFT_COOLDOWN_H * HOUR_MS, requested_by: 'schedule',
  };
}
