import type { Settings } from '../../runtime/settings.js';
import { horizonDays, windowMs } from '../../schemas/features/horizon.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { Policy } from './core/judge.js';
import type { FeatureMemory } from './core/triage/attribute.js';

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A view whose features remember for ever forgets a data bug after a year as far as triage goes. */
const LOOK_BACK_DAYS_MAX = 365;

export type DriftSettings = Pick<Settings,
  'DRIFT_POLICY' | 'DRIFT_FALSE_ALARM_DAYS' | 'DRIFT_WINDOW_H' | 'DRIFT_STEP_H' | 'DRIFT_PERSISTENCE' | 'DRIFT_CALIBRATION_WINDOWS' | 'DRIFT_HISTORY_WINDOWS' |
  'DRIFT_EFFECT_MIN' | 'DRIFT_ROWS_MIN' | 'DRIFT_PSI_MAX' | 'DRIFT_COOLDOWN_H' | 'LABEL_HORIZON_DAYS'>;

export const policyOf = (settings: DriftSettings): Policy => ({
  kind: settings.DRIFT_POLICY,
  falseAlarmDays: settings.DRIFT_FALSE_ALARM_DAYS,
  stepDays: settings.DRIFT_STEP_H / 24,
  windowMs: settings.DRIFT_WINDOW_H * HOUR_MS,
  stepMs: settings.DRIFT_STEP_H * HOUR_MS,
  calibrationWindows: settings.DRIFT_CALIBRATION_WINDOWS,
  historyWindows: settings.DRIFT_HISTORY_WINDOWS,
  effectMin: settings.DRIFT_EFFECT_MIN,
  rowsMin: settings.DRIFT_ROWS_MIN,
  psiMax: settings.DRIFT_PSI_MAX,
  persistence: settings.DRIFT_PERSISTENCE,
  cooldownMs: settings.DRIFT_COOLDOWN_H * HOUR_MS,
  askAgainMs: settings.LABEL_HORIZON_DAYS * DAY_MS,
});

/** What each feature of the view holds; the score, and all features together, follow from all of them. */
export function featureMemories(view: FeatureView): Map<string, FeatureMemory> {
  const longest = Math.min(horizonDays(view), LOOK_BACK_DAYS_MAX) * DAY_MS;
  const memories = new Map<string, FeatureMemory>(['score', 'multivariate'].map((name) => [name, { money: true, heldMs: longest }]));
  for (const feature of view.features) if (feature.aggregate !== 'ratio') memories.set(feature.name, { money: feature.value === 'amount', heldMs: Math.min(windowMs(feature.window), longest) });
  for (const feature of view.features) if (feature.aggregate === 'ratio') {
    const parts = [feature.numerator, feature.denominator].map((name) => memories.get(name)!);
    memories.set(feature.name, { money: parts.some(({ money }) => money), heldMs: Math.max(...parts.map(({ heldMs }) => heldMs)) });
  }
  return memories;
}

/** Segments to measure, from the setting. */
export const segmentsOf = (text: string): string[] => text.split(',').map((segment) => segment.trim()).filter((segment) => segment !== '' && segment !== 'none');
