/** A due time further back than this comes of a pause: a stopped process, a machine that slept. */
const PAUSE_MS = 2000;

export interface Pace {
  /** Items a second on average; undefined: no bound. */
  readonly rate?: number | undefined;
  /** Event time per wall-clock time; undefined: no bound. */
  readonly acceleration?: number | undefined;
}

/**
 * When items are due that are published at a pace, measured from the first one. After a pause they come at their pace again,
 * and not all at once.
 * @returns due(the item's count, its event time, the time now) in the clock of `now`, milliseconds
 */
export function createPace({ rate, acceleration }: Pace): (count: number, timeMs: number, nowMs: number) => number {
  let from: { readonly count: number; readonly timeMs: number; readonly nowMs: number } | undefined;
  return (count, timeMs, nowMs) => {
    from ??= { count, timeMs, nowMs };
    const due = Math.max(
      rate === undefined ? -Infinity : from.nowMs + ((count - from.count) * 1000) / rate,
      acceleration === undefined ? -Infinity : from.nowMs + (timeMs - from.timeMs) / acceleration);
    if (nowMs - due > PAUSE_MS) from = { count, timeMs, nowMs };
    return due;
  };
}
