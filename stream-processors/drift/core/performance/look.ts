import type { DriftWindow } from '../../../../schemas/drift/measurement.js';
import type { RetrainEvidence } from '../../../../schemas/events/retrain-event.js';
import { figure, iso, type EventDraft } from '../draft.js';
import type { Judged, Policy } from '../judge.js';
import type { Quarantine } from '../triage/quarantine.js';
import { answered, step, usualUntil, type Alarm, type Change, type Watch, type WatchMode } from '../watch.js';
import { judgePerformance, type PerformanceFigures, type PerformancePolicy } from './judge.js';

/** All that a look at realised performance depends on. */
export interface PerformanceLookInput {
  readonly model: string;
  readonly modelVersion: string;
  /** Of predictions; their labels end a horizon later. */
  readonly window: DriftWindow;
  /** Event time at which the window's labels were complete. */
  readonly labelledAt: number;
  readonly figures: PerformanceFigures;
  readonly watch: Watch;
  readonly quarantines: readonly Quarantine[];
  readonly policy: PerformancePolicy & Pick<Policy, 'persistence' | 'cooldownMs' | 'askAgainMs'>;
  /** Event time up to which a retraining that was asked for keeps others off; 0 for none. */
  readonly cooldownUntil: number;
  /** A retraining was asked for and is not answered yet, or what came of it is on trial. */
  readonly underWay: boolean;
  readonly horizonMs: number;
  readonly expectedGain: number | null;
  /** What the scores themselves lead to expect of later predictions (CBPE): evidence beside the labels, never a reason by itself. */
  readonly estimated: RetrainEvidence | null;
}

export interface PerformanceLookResult {
  readonly watch: Watch;
  readonly mode: WatchMode;
  readonly judged: readonly Judged[];
  readonly event: EventDraft | undefined;
  readonly decision: 'none' | 'retrain' | 'skip';
  readonly explanation: string;
}

/** One look further: verdicts, then persistence and hysteresis as for drift, then what follows from an alarm. */
export function lookAtPerformance(input: PerformanceLookInput): PerformanceLookResult {
  const judged = judgePerformance(input.figures, input.policy);
  const { watch, change, mode, persistent } = step(input.watch, input.window, judged, input.policy);
  const { alarm } = watch;
  const asks = change === 'raised' || (change === 'again' && !input.underWay) || alarm?.answer === 'waiting' || alarm?.answer === 'data_bug';
  const answer = alarm !== null && asks && persistent.length > 0 ? answerTo(input, alarm, change, persistent) : undefined;
  if (answer === undefined)
    return { watch, mode, judged, event: undefined, decision: 'none', explanation: change === 'cleared' ? 'the alarm has ended' : change === 'standing' || change === 'again' ? 'the alarm stands' : '' };
  const { event } = answer;
  return { watch: answered(watch, answer.answer, input.window.to), mode, judged, event, decision: event.decision, explanation: event.explanation };
}

/** @returns undefined where what was said at the last look still holds */
function answerTo(input: PerformanceLookInput, alarm: Alarm, change: Change, persistent: readonly Judged[]): { answer: Alarm['answer']; event: EventDraft } | undefined {
  const { labelledAt, cooldownUntil, policy } = input;
  const [fault, cooling] = [faultOf(input), labelledAt < cooldownUntil];
  if (change === 'standing' && ((alarm.answer === 'data_bug' && fault !== undefined) || (alarm.answer === 'waiting' && cooling))) return undefined;
  const draft = draftOf(input, alarm, persistent);
  const skip = (said: Alarm['answer'], why: string): { answer: Alarm['answer']; event: EventDraft } => ({ answer: said, event: { ...draft, decision: 'skip', explanation: `${draft.explanation}; ${why}` } });
  if (fault !== undefined) return skip('data_bug', `put down to the ${fault.cause} of ${fault.channel === '' ? 'all channels' : fault.channel} since ${iso(fault.from)}: no retraining`);
  if (cooling) return skip('waiting', `a retraining was asked for already, none other before ${new Date(cooldownUntil).toISOString()}`);
  return { answer: 'retrain', event: { ...draft, cooldown_until: labelledAt + policy.cooldownMs } };
}

/** Broken data among what was scored; where events are missing, also among what makes the labels. */
function faultOf({ window, quarantines, horizonMs }: PerformanceLookInput): Quarantine | undefined {
  return quarantines.find(({ cause, from, to }) => from < window.to + (cause === 'dead_producer' ? horizonMs : 0) && window.from < to);
}

function draftOf({ model, modelVersion, window, policy, expectedGain, estimated }: PerformanceLookInput, alarm: Alarm, persistent: readonly Judged[]): EventDraft {
  const again = alarm.asked === undefined ? '' : `asked for again, after ${alarm.asked} without another version in service: `;
  const said = persistent.map(({ statistic, against, value, expected, threshold }) =>
    `${statistic.replace('_', ' ')} ${figure(value)}, ${against === 'reference' ? 'its holdout promised' : 'in its former windows'} ${figure(expected)}, limit ${figure(threshold)}`);
  return {
    reason: 'performance', decision: 'retrain', model, model_version: modelVersion, window_from: window.from, window_to: window.to,
    evidence: [
      ...persistent.map(({ feature, segment, statistic, against, value, threshold, p, n }) => ({ feature, segment, statistic: `${statistic} against ${against}`, value, threshold, p, n })),
      ...(estimated === null ? [] : [estimated]),
    ],
    explanation: `${again}labels say worse since ${iso(alarm.first.from)}, in ${policy.persistence} windows in a row: ${said.join('; ')} (limits for at most one false alarm in ${policy.falseAlarmDays} days)`,
    expected_gain: expectedGain,
    // after a decision against it the same alarm may be followed by another one: the window tells them apart
    dedupe_key: `performance/${model}/${modelVersion}/${new Date(window.to).toISOString()}`,
    cooldown_until: 0, requested_by: 'drift',
  };
}

/** Which former windows say what is usual: back from before whatever looks like the beginning of an alarm, and from no earlier than the last change. */
export function formerWindows(window: DriftWindow, watch: Watch, since: number, historyWindows: number): { from: number; to: number } {
  const width = window.to - window.from;
  const to = usualUntil(window, watch);
  const windows = Math.max(0, Math.min(historyWindows, Math.floor((to - Math.max(since, watch.baseline_from)) / width)));
  return { from: to - windows * width, to };
}
