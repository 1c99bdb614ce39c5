import type { DriftWindow } from '../../../schemas/drift/measurement.js';
import type { RetrainEvent, RetrainEvidence } from '../../../schemas/events/retrain-event.js';
import type { Judged, Policy } from './judge.js';
import type { Finding } from './triage/aggregates.js';
import type { Quarantine } from './triage/quarantine.js';
import type { Alarm } from './watch.js';

/** A decision without what only the moment of writing knows. */
export type EventDraft = Omit<RetrainEvent, 'event_id' | 'decided_at'>;

/** Of a feature and segment only the most surprising statistic is told, and no more than these. */
const EVIDENCE_MAX = 12;

export const iso = (time: number): string => new Date(time).toISOString().slice(0, 16).replace(/T00:00$/, '');
export const figure = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(2));

export const evidenceOf = ({ cause, channel, value, usual, rows }: Finding): RetrainEvidence => ({
  feature: cause, segment: channel === '' ? '' : `channel=${channel}`, statistic: 'value_against_usual', value, threshold: usual, p: null, n: rows,
});

export function bugEvent(model: string, modelVersion: string, window: DriftWindow, finding: Finding, quarantine: Quarantine): EventDraft {
  const of = quarantine.channel === '' ? 'all channels' : `channel ${quarantine.channel}`;
  return {
    reason: 'drift', decision: 'skip', model, model_version: modelVersion, window_from: window.from, window_to: window.to,
    evidence: [evidenceOf(finding)],
    explanation: `${finding.cause} in ${of} since ${iso(quarantine.from)}: ${finding.sentence}; kept out of training, no retraining`,
    expected_gain: null, dedupe_key: `bug/${quarantine.id}`, cooldown_until: 0, requested_by: 'drift',
  };
}

/** What an alarm says, as a request for a retraining. */
export function driftEvent({ model, modelVersion, window, policy }: { model: string; modelVersion: string; window: DriftWindow; policy: Policy }, alarm: Alarm, persistent: readonly Judged[]): EventDraft {
  const told = new Set<string>();
  const strongest = persistent.filter(({ feature, segment }) => !told.has(`${feature}|${segment}`) && told.add(`${feature}|${segment}`)).slice(0, EVIDENCE_MAX);
  return {
    reason: 'drift', decision: 'retrain', model, model_version: modelVersion, window_from: window.from, window_to: window.to,
    evidence: strongest.map(({ feature, segment, statistic, against, value, threshold, p, n }) => ({ feature, segment, statistic: `${statistic} against ${against}`, value, threshold, p, n })),
    explanation: sentenceOf(strongest, told.size, alarm, policy),
    expected_gain: null,
    dedupe_key: `drift/${model}/${modelVersion}/${new Date(window.to).toISOString()}`,
    cooldown_until: 0, requested_by: 'drift',
  };
}

function sentenceOf(strongest: readonly Judged[], count: number, alarm: Alarm, { kind, persistence, falseAlarmDays }: Policy): string {
  const names = strongest.slice(0, 3).map(({ feature, segment, statistic, value, expected, threshold }) =>
    `${feature === 'multivariate' ? 'all features together' : feature}${segment === '' ? '' : ` (${segment})`}: ${statistic} ${figure(value)}, usually ${figure(expected)}, limit ${figure(threshold)}`);
  const more = count > 3 ? ` and ${count - 3} more` : '';
  const rule = kind === 'budget' ? `limits for at most one false alarm in ${falseAlarmDays} days` : 'fixed limits';
  return `changed since ${iso(alarm.first.from)}, in ${persistence} windows in a row: ${names.join('; ')}${more} (${rule})`;
}
