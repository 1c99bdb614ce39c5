import type { BreakerState } from '../core/breaker.js';
import type { Dependency } from './health.js';

/** ClickHouse as the scorer sees it: nothing that is scored waits for it. */
export function clickHouseHealth(recent: { readonly state: BreakerState; readonly reason?: string }, historyPaused: boolean, log: { readonly dropped: number; readonly waitingBytes: number }): Dependency {
  const away = recent.state !== 'closed' || historyPaused;
  const facts = { breaker: recent.state, log_waiting_bytes: log.waitingBytes, log_dropped: log.dropped };
  return away ? { status: 'degraded', detail: `scores go on; histories and recent events are not available${recent.reason === undefined ? '' : ` (${recent.reason})`}`, ...facts } : { status: 'up', ...facts };
}

/** The bounded queues that requests wait in. */
export function requestsHealth(queue: { readonly refused: number; readonly overloaded: boolean }, explanations: { readonly waiting: number; readonly refused: number; readonly timed_out: number }): Dependency {
  const facts = { refused: queue.refused, explanations_waiting: explanations.waiting, explanations_refused: explanations.refused + explanations.timed_out };
  return queue.overloaded ? { status: 'degraded', detail: 'more requests come than are scored: some are answered 503 with Retry-After', ...facts } : { status: 'up', ...facts };
}
