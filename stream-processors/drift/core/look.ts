import type { DriftWindow, Measurement } from '../../../schemas/drift/measurement.js';
import type { RetrainEvidence } from '../../../schemas/events/retrain-event.js';
import { bugEvent, driftEvent, evidenceOf, type EventDraft } from './draft.js';
import { judge, type Judged, type PastLook, type Policy } from './judge.js';
import type { Finding } from './triage/aggregates.js';
import { attribute, type Cause, type FeatureMemory } from './triage/attribute.js';
import { quarantineId, quarantineOf, type Quarantine } from './triage/quarantine.js';
import { answered, step, usualLooks, type Alarm, type Change, type Watch, type WatchMode } from './watch.js';

/** Everything that a look depends on: the same input gives the same result, whoever makes the look and how often. */
export interface LookInput {
  readonly model: string;
  readonly modelVersion: string;
  readonly window: DriftWindow;
  readonly measurements: readonly Measurement[];
  /** Earlier looks at this version. */
  readonly past: readonly PastLook[];
  readonly watch: Watch;
  /** What is found broken in and around the window. */
  readonly findings: readonly Finding[];
  readonly quarantines: readonly Quarantine[];
  readonly policy: Policy;
  /** Event time up to which a retraining that was asked for keeps drift from asking again; 0 for none. */
  readonly cooldownUntil: number;
  /** A retraining was asked for and is not answered yet, or what came of it is on trial: nothing is asked for again before that has ended. */
  readonly underWay: boolean;
  readonly memories: ReadonlyMap<string, FeatureMemory>;
}

export interface Alert {
  readonly id: string;
  readonly cause: string;
  readonly channel: string;
  readonly window: DriftWindow;
  readonly explanation: string;
  readonly evidence: readonly RetrainEvidence[];
}

export interface LookResult {
  readonly watch: Watch;
  readonly mode: WatchMode;
  readonly judged: readonly Judged[];
  /** New ones, and known ones that have become longer. */
  readonly quarantines: readonly Quarantine[];
  readonly alerts: readonly Alert[];
  readonly events: readonly EventDraft[];
  /** What was done: nothing, a retraining asked for, or not asked for. */
  readonly decision: 'none' | 'retrain' | 'skip';
  readonly explanation: string;
}

/** One look at one window: broken data first, then the verdicts, then what an alarm is put down to, then what follows. */
export function lookAt(input: LookInput): LookResult {
  const bugs = bugsOf(input);
  const quarantines = merged(input.quarantines, bugs.quarantines);
  const quiet = usualLooks(input.past, input.window, input.watch, quarantines, input.policy);
  const judged = judge(input.window, input.measurements, quiet, input.policy);
  const { watch, change, mode, persistent } = step(input.watch, input.window, judged, input.policy);
  const { alarm } = watch;
  const asks = change === 'raised' || (change === 'again' && !input.underWay) || alarm?.answer === 'waiting' || alarm?.answer === 'data_bug';
  const answer = alarm !== null && asks ? answerOf(input, alarm, change, persistent, judged, quarantines) : undefined;
  const said = answer?.explanation ?? (change === 'cleared' ? 'the alarm has ended' : change === 'standing' || change === 'again' ? 'the alarm stands' : bugs.events[0]?.explanation ?? '');
  return {
    watch: answer === undefined ? watch : answered(watch, answer.answer, input.window.to),
    mode, judged,
    quarantines: [...bugs.quarantines, ...(answer?.quarantine === undefined ? [] : [answer.quarantine])],
    alerts: [...bugs.alerts, ...(answer?.alert === undefined ? [] : [answer.alert])],
    events: [...bugs.events, ...(answer?.event === undefined ? [] : [answer.event])],
    decision: answer?.event?.decision ?? (answer !== undefined || bugs.events.length > 0 ? 'skip' : 'none'),
    explanation: said,
  };
}

interface Bugs {
  readonly quarantines: readonly Quarantine[];
  readonly alerts: readonly Alert[];
  readonly events: readonly EventDraft[];
}

/** A bug that is new makes an alert, a quarantine and a decision against retraining; one that goes on makes the first two longer. */
function bugsOf({ model, modelVersion, window, findings, quarantines }: LookInput): Bugs {
  const made = findings.map((finding) => ({ finding, ...quarantineOf(model, finding, quarantines) })).filter(({ known }) => known !== 'same');
  return {
    quarantines: made.map(({ quarantine }) => quarantine),
    alerts: made.map(({ finding, quarantine }) => ({
      id: quarantine.id, cause: finding.cause, channel: quarantine.channel, window: { from: quarantine.from, to: quarantine.to },
      explanation: finding.sentence, evidence: [evidenceOf(finding)],
    })),
    events: made.filter(({ known }) => known === 'new').map(({ finding, quarantine }) => bugEvent(model, modelVersion, window, finding, quarantine)),
  };
}

interface Answer {
  readonly answer: Alarm['answer'];
  readonly explanation: string;
  readonly event?: EventDraft;
  readonly quarantine?: Quarantine;
  readonly alert?: Alert;
}

function answerOf(input: LookInput, alarm: Alarm, change: Change, persistent: readonly Judged[], judged: readonly Judged[], quarantines: readonly Quarantine[]): Answer | undefined {
  const { model, window, policy, cooldownUntil } = input;
  const wasWaiting = change === 'standing' && alarm.answer === 'waiting';
  // What waited for a cooldown and is not beyond its threshold any more waits on, until it comes back or the alarm ends.
  if (persistent.length === 0 || (wasWaiting && window.to < cooldownUntil)) return undefined;
  const cause = attribute({ window, since: alarm.first.from, persistent, judged, quarantines, memories: input.memories });
  if (cause.kind === 'data_bug') {
    const { quarantine } = cause;
    return { answer: 'data_bug', explanation: `the change is put down to the ${quarantine.cause} of ${quarantine.channel === '' ? 'all channels' : quarantine.channel} since ${new Date(quarantine.from).toISOString()}: no retraining` };
  }
  const asked = alarm.asked ?? 0;
  const first = driftEvent(input, alarm, persistent);
  const draft = asked === 0 ? first : { ...first, explanation: `asked for again, after ${asked} without another version in service: ${first.explanation}` };
  if (cause.kind === 'one_channel') return oneChannel(model, alarm, window, cause, draft);
  if (window.to < cooldownUntil)
    return { answer: 'waiting', explanation: draft.explanation, event: { ...draft, decision: 'skip', explanation: `${draft.explanation}; a retraining was asked for already, none other before ${new Date(cooldownUntil).toISOString()}` } };
  return { answer: 'retrain', explanation: draft.explanation, event: { ...draft, cooldown_until: window.to + policy.cooldownMs } };
}

function oneChannel(model: string, alarm: Alarm, window: DriftWindow, { channel }: Extract<Cause, { kind: 'one_channel' }>, draft: EventDraft): Answer {
  const span = { cause: 'one_channel', channel, from: alarm.first.from, to: window.to };
  const id = quarantineId(model, span);
  const explanation = `${draft.explanation}; only channel ${channel} has changed: look at what sends its events, no retraining`;
  return {
    answer: 'skip', explanation,
    event: { ...draft, decision: 'skip', explanation },
    quarantine: { id, ...span },
    alert: { id, cause: 'one_channel', channel, window: { from: span.from, to: span.to }, explanation, evidence: draft.evidence },
  };
}

function merged(existing: readonly Quarantine[], changed: readonly Quarantine[]): Quarantine[] {
  const ids = new Set(changed.map(({ id }) => id));
  return [...existing.filter(({ id }) => !ids.has(id)), ...changed];
}
