/**
 * Whether a silent customer is due in this pass of the sweep: each whole multiple of `silenceMs` since its last event
 * brings one refresh, and the first pass after the multiple makes it.
 * @param lastEventMs the customer's largest event time
 * @param clockMs clock of this pass
 * @param formerClockMs clock of the last whole pass; 0 where there was none
 */
export function isDue(lastEventMs: number, clockMs: number, formerClockMs: number, silenceMs: number): boolean {
  const now = Math.floor((clockMs - lastEventMs) / silenceMs);
  if (now < 1) return false;
  const before = formerClockMs <= lastEventMs ? 0 : Math.floor((formerClockMs - lastEventMs) / silenceMs);
  return now > before;
}

/**
 * The clock that time alone runs on: wall clock while events arrive about when they happen, else (a replay, a simulation)
 * the time of the stream itself.
 * @param lastDelayMs broker's time of the latest record less its event time
 * @param liveWithinMs how large that may be for the stream to count as live
 */
export function sweepClock(streamTimeMs: number, lastDelayMs: number, wallMs: number, liveWithinMs: number): number {
  return Math.abs(lastDelayMs) <= liveWithinMs ? Math.max(wallMs, streamTimeMs) : streamTimeMs;
}
