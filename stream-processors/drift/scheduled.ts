import type { ClickHouseClient } from '../../runtime/clickhouse.js';
import type { Settings } from '../../runtime/settings.js';
import { landedRange } from './aggregates.js';
import { championOf, gainOf, type Champion } from './champion.js';
import type { EventDraft } from './core/draft.js';
import type { Decisions } from './decisions.js';
import { HOUR_MS } from './policy.js';
import { createSchedule } from './schedule.js';
import type { OtherReason } from './task.js';

/** Retrainings by the calendar: RETRAIN_SCHEDULE on event time or wall clock, one for each time that is due, the latest where several were missed. */
export function scheduledReason(options: { settings: Settings; client: ClickHouseClient; decisions: Decisions; now?: () => number }): OtherReason | undefined {
  const { settings, client, decisions, now = Date.now } = options;
  if (settings.RETRAIN_SCHEDULE === undefined) return undefined;
  const schedule = createSchedule(settings.RETRAIN_SCHEDULE);
  const model = settings.MODEL_NAME;
  const prefix = `schedule/${model}/`;
  return {
    async ask() {
      const landed = await landedRange(client);
      const champion = await championOf(client, model);
      if (landed === undefined || champion === undefined) return undefined;
      const onEventTime = settings.RETRAIN_SCHEDULE_CLOCK === 'event';
      const last = decisions.last('schedule');
      const after = Math.max(onEventTime ? champion.data_to : champion.created_at, last === undefined ? 0 : Date.parse(last.dedupe_key.slice(prefix.length)));
      const due = schedule.lastIn(after, onEventTime ? landed.to : now());
      if (due === undefined) return undefined;
      return { drafts: [scheduledEvent(settings, champion, due, landed.to, `${prefix}${new Date(due).toISOString()}`, await gainOf(client, settings, champion))] };
    },
  };
}

function scheduledEvent(settings: Settings, { version, data_to }: Champion, due: number, landedTo: number, dedupe_key: string, expected_gain: number | null): EventDraft {
  const fresh = landedTo > data_to;
  const at = new Date(due).toISOString();
  return {
    reason: 'schedule', decision: fresh ? 'retrain' : 'skip', model: settings.MODEL_NAME, model_version: version, window_from: Math.min(data_to, landedTo), window_to: landedTo, evidence: [],
    explanation: fresh
      ? `due at ${at} by RETRAIN_SCHEDULE=${settings.RETRAIN_SCHEDULE ?? ''}`
      : `due at ${at}, but nothing has landed since the data of ${version}: no retraining`,
    expected_gain, dedupe_key, cooldown_until: landedTo + settings.DRIFT_COOLDOWN_H * HOUR_MS, requested_by: 'schedule',
  };
}
