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

/** How far the broker's time of a record may be from its event's for the two to be the same present. */
const PRESENT_MS = 86_400_000;

/**
 * Whether a stream tells of the present, after one more event. A stream becomes live when its own clock comes near the
 * broker's, so that one event of today among years ago changes nothing; it stays live while its events are of the present,
 * so that one after a long silence changes nothing either.
 * @param brokerMs the record's time @param eventMs its event's @param streamMs the stream's clock
 */
export function isLive(wasLive: boolean, brokerMs: number, eventMs: number, streamMs: number): boolean {
  return Math.abs(brokerMs - streamMs) <= PRESENT_MS || (wasLive && Math.abs(brokerMs - eventMs) <= PRESENT_MS);
}

/** The clock that time alone runs on: wall clock for a live stream, else (a replay, a simulation) the stream's own. */
export const sweepClock = (live: boolean, streamMs: number, wallMs: number): number => (live ? Math.max(wallMs, streamMs) : streamMs);
