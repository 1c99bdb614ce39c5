import type { Log } from '../../runtime/log.js';
import type { RefusalReason } from './metrics.js';

const INTERVAL_MS = 10_000;

/** Logs refusals, one line a reason in ten seconds: who floods the door must not flood the log. Nothing of a key is in it. */
export function createRefusalLog(log: Log, now: () => number = Date.now): (reason: RefusalReason, fields: Record<string, unknown>) => void {
  const reasons = new Map<RefusalReason, { loggedAt: number; unlogged: number }>();
  return (reason, fields) => {
    const last = reasons.get(reason) ?? { loggedAt: -Infinity, unlogged: 0 };
    reasons.set(reason, last);
    if (now() - last.loggedAt < INTERVAL_MS) return void last.unlogged++;
    log.warn('request_refused', { reason, ...fields, more_like_it: last.unlogged });
    last.loggedAt = now();
    last.unlogged = 0;
  };
}
