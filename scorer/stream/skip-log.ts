import type { Log } from '../../runtime/log.js';
import type { SkipReason } from './score-records.js';

const INTERVAL_MS = 10_000;

/** Logs skipped records, one line a reason in ten seconds: a topic full of them must not become a log full of them. */
export function createSkipLog(log: Log, now: () => number = Date.now): (reason: SkipReason, fields: Record<string, unknown>) => void {
  const reasons = new Map<SkipReason, { loggedAt: number; unlogged: number }>();
  return (reason, fields) => {
    if (reason === 'deleted') return;
    const last = reasons.get(reason) ?? { loggedAt: -Infinity, unlogged: 0 };
    reasons.set(reason, last);
    if (now() - last.loggedAt < INTERVAL_MS) return void last.unlogged++;
    log.warn('features_skipped', { reason, ...fields, more_like_it: last.unlogged });
    last.loggedAt = now();
    last.unlogged = 0;
  };
}
