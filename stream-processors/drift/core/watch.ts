import type { DriftWindow } from '../../../schemas/drift/measurement.js';
import type { Judged } from './judge.js';

/** A change that stands: some test was beyond its threshold in so many windows in a row. */
export interface Alarm {
  /** The first of those windows. */
  readonly first: DriftWindow;
  /** End of the window at which it was raised. */
  readonly raised_at: number;
  /** What was said to it; `waiting` where a retraining is to follow when a cooldown is over, `data_bug` while all of it is put down to one. */
  readonly answer: 'retrain' | 'skip' | 'waiting' | 'data_bug';
  /** Retrainings asked for, and the end of the window at which the last one was. */
  readonly asked?: number;
  readonly asked_at?: number;
}

/**
 * Where the watch over one model version stands: a value, kept with every look, so that whoever makes the next look goes on
 * from it.
 */
export interface Watch {
  /** Windows that begin before this are no measure of what is usual. */
  readonly baseline_from: number;
  /** Ended alarms: their windows are no measure either. */
  readonly excluded: readonly DriftWindow[];
  /** Windows in a row that each test has been beyond. */
  readonly streaks: Readonly<Record<string, { readonly count: number; readonly first: DriftWindow }>>;
  /** Windows in a row in which nothing was held. */
  readonly clear: number;
  readonly alarm: Alarm | null;
}

export const NEW_WATCH: Watch = { baseline_from: 0, excluded: [], streaks: {}, clear: 0, alarm: null };
/** Ended alarms that are remembered: more than a history can hold. */
const EXCLUDED_MAX = 50;

export type WatchMode = 'calibrating' | 'quiet' | 'suspect' | 'alarmed';
export type Change = 'none' | 'raised' | 'again' | 'standing' | 'cleared';
/**
 * How often one alarm asks. The first retraining hardly knows anything of the change: its labels take a horizon, its rows a
 * second one beside what is held out. As long as no other version came of it and the change stands, it is asked for again.
 */
const ASKS_MAX = 4;

export interface Step {
  readonly watch: Watch;
  readonly change: Change;
  readonly mode: WatchMode;
  /** Tests beyond their threshold in `persistence` windows in a row, most surprising first. */
  readonly persistent: readonly Judged[];
}

/** One look further. `answer` of a raised alarm is the caller's to set (`answered`). */
export function step(watch: Watch, window: DriftWindow, judged: readonly Judged[], policy: { readonly persistence: number; readonly cooldownMs: number; readonly askAgainMs: number }): Step {
  const beyond = judged.filter(({ verdict }) => verdict === 'beyond');
  const streaks = Object.fromEntries(beyond.map(({ key }) => {
    const before = watch.streaks[key];
    return [key, { count: (before?.count ?? 0) + 1, first: before?.first ?? window }];
  }));
  const persistent = beyond.filter(({ key }) => streaks[key]!.count >= policy.persistence).sort(bySurprise);
  const clear = judged.some(({ verdict }) => verdict === 'beyond' || verdict === 'held') ? 0 : watch.clear + 1;
  const next = { ...watch, streaks, clear };
  const { alarm } = watch;
  if (alarm === null) {
    if (persistent.length === 0) return { watch: next, change: 'none', mode: modeOf(judged), persistent };
    const first = persistent.map(({ key }) => streaks[key]!.first).reduce((a, b) => (a.from <= b.from ? a : b));
    return { watch: { ...next, alarm: { first, raised_at: window.to, answer: 'skip' } }, change: 'raised', mode: 'alarmed', persistent };
  }
  if (clear >= policy.persistence) {
    const excluded = [...watch.excluded, { from: alarm.first.from, to: window.to }].slice(-EXCLUDED_MAX);
    return { watch: { ...next, alarm: null, excluded }, change: 'cleared', mode: 'quiet', persistent };
  }
  const { answer, asked = 0, asked_at = alarm.raised_at } = alarm;
  // Nothing has answered it yet: what was put down to a bug may turn out to be more, once the bug is forgotten.
  if (answer === 'waiting' || answer === 'data_bug') return { watch: next, change: 'standing', mode: 'alarmed', persistent };
  if (answer === 'retrain' && asked < ASKS_MAX) {
    const due = window.to >= asked_at + Math.max(policy.cooldownMs, policy.askAgainMs) && persistent.length > 0;
    return { watch: next, change: due ? 'again' : 'standing', mode: 'alarmed', persistent };
  }
  // What has lasted for so long, and was answered, is the new usual: it is learnt anew, and the next change is seen again.
  if (window.to >= asked_at + policy.cooldownMs)
    return { watch: { ...next, streaks: {}, alarm: null, baseline_from: alarm.raised_at, excluded: [] }, change: 'cleared', mode: 'calibrating', persistent };
  return { watch: next, change: 'standing', mode: 'alarmed', persistent };
}

export function answered(watch: Watch, answer: Alarm['answer'], at: number): Watch {
  const { alarm } = watch;
  if (alarm === null) return watch;
  return { ...watch, alarm: { ...alarm, answer, ...(answer === 'retrain' ? { asked: (alarm.asked ?? 0) + 1, asked_at: at } : {}) } };
}

/** Until when a past window may say what is usual, for a look at `window`: the beginning of what is an alarm, or may become one, ends it. */
export const usualUntil = (window: DriftWindow, { streaks, alarm }: Watch): number =>
  Math.min(window.from, ...Object.values(streaks).map(({ first }) => first.from), alarm?.first.from ?? Infinity);

/**
 * The past looks that say what is usual: of the last windows before `usualUntil`, so that a change is held against what was
 * usual when it began, for as long as it stands.
 */
export function usualLooks<Look extends DriftWindow>(past: readonly Look[], window: DriftWindow, watch: Watch, broken: readonly DriftWindow[], policy: { readonly windowMs: number; readonly historyWindows: number }): Look[] {
  const since = usualUntil(window, watch) - policy.windowMs * policy.historyWindows;
  return past.filter((look) => look.to > since && isUsual(look, window, watch, broken));
}

/** Whether a past window says what is usual, for a look at `window`. */
export function isUsual(past: DriftWindow, window: DriftWindow, watch: Watch, broken: readonly DriftWindow[]): boolean {
  const meets = (other: DriftWindow): boolean => other.from < past.to && past.from < other.to;
  return past.to <= window.from && past.from >= watch.baseline_from && !watch.excluded.some(meets) && !broken.some(meets)
    && !(watch.alarm !== null && past.to > watch.alarm.first.from)
    // what may be the beginning of an alarm must not make itself usual
    && !Object.values(watch.streaks).some(({ first }) => past.to >= first.to);
}

function modeOf(judged: readonly Judged[]): WatchMode {
  if (judged.some(({ verdict }) => verdict === 'beyond')) return 'suspect';
  return judged.length > 0 && judged.every(({ verdict }) => verdict === 'calibrating' || verdict === 'few_rows') ? 'calibrating' : 'quiet';
}

/** Smaller p first; of equal ones (fixed thresholds have none) the larger share of the threshold. */
export function bySurprise(a: Judged, b: Judged): number {
  return (a.p ?? 0) - (b.p ?? 0) || b.value / b.threshold - a.value / a.threshold || (a.key < b.key ? -1 : 1);
}
