/**
 * A circuit breaker: after so many failures in a row a dependency is left alone for a while, so that nobody waits for what will
 * not answer; then one call tries again. Times are milliseconds of any clock that only moves forward.
 */
export type BreakerState = 'closed' | 'open' | 'half_open';

export interface Breaker {
  /** Whether a call may be made now. Who gets true says how it went. */
  admits(nowMs: number): boolean;
  succeeded(): void;
  failed(nowMs: number): void;
  state(nowMs: number): BreakerState;
  /** How often it has opened. */
  readonly opened: number;
}

export interface BreakerBounds {
  /** Failures in a row that open it. */
  readonly failures_max: number;
  /** How long it stays open; each further failed try doubles it, up to pause_ms_max. */
  readonly pause_ms: number;
  readonly pause_ms_max: number;
}

export function createBreaker({ failures_max, pause_ms, pause_ms_max }: BreakerBounds): Breaker {
  let failures = 0;
  let pause = pause_ms;
  /** Undefined while it is closed. */
  let openUntil: number | undefined;
  let trying = false;
  let opened = 0;
  return {
    admits(now) {
      if (openUntil === undefined) return true;
      if (now < openUntil || trying) return false;
      trying = true;
      return true;
    },
    succeeded() {
      failures = 0;
      pause = pause_ms;
      openUntil = undefined;
      trying = false;
    },
    failed(now) {
      failures++;
      if (openUntil !== undefined && !trying) return; // a call from before it opened
      if (openUntil === undefined && failures < failures_max) return;
      if (trying) pause = Math.min(pause_ms_max, pause * 2);
      if (openUntil === undefined) opened++;
      openUntil = now + pause;
      trying = false;
    },
    state: (now) => (openUntil === undefined ? 'closed' : trying || now >= openUntil ? 'half_open' : 'open'),
    get opened() { return opened; },
  };
}
