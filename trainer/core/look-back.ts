import type { EventType } from '../../schemas/events/customer-event.js';
import type { AggregateFeature, FeatureView } from '../../schemas/features/declaration.js';
import { windowMs } from '../../schemas/features/horizon.js';

/** Which events of a quarantined window are broken, and how long features hold what they brought in. */
export interface LookBack {
  /** Null: of every type. */
  readonly types: readonly EventType[] | null;
  /** Null: whatever their amount. */
  readonly amount: 'missing' | 'present' | null;
  readonly ms: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A lifetime of features; as milliseconds still far below 2^63. */
const FOREVER_MS = 36_525 * DAY_MS;
/** Zones are at most so far apart. */
const ZONE_MS_MAX = 14 * HOUR_MS;

/**
 * How long after a broken event a customer's features are not what they should be.
 * - null_burst: sums and means of amounts over windows lack an amount; those over a lifetime leave out events without one anyway.
 * - unit_change: a mean over a lifetime never forgets an amount that is a hundred times too large.
 * - time_zone_shift: what counts by the hour is wrong; counts by the day are off at their edges only.
 * - dead_producer, one_channel: whose events are missing or wrong, if any, is not known: nothing is held against anybody.
 * @returns undefined where only moments inside the window are left out
 */
export function lookBackOf(view: FeatureView, cause: string): LookBack | undefined {
  const features = view.features.filter((feature): feature is AggregateFeature => feature.aggregate !== 'ratio');
  if (cause === 'time_zone_shift')
    return { types: null, amount: null, ms: ZONE_MS_MAX + Math.max(0, ...features.map(({ window }) => (window.unit === 'hours' ? windowMs(window) : 0))) };
  const money = features.filter(({ value }) => value === 'amount');
  if (money.length === 0 || (cause !== 'null_burst' && cause !== 'unit_change')) return undefined;
  const types = money.some(({ of }) => of === null) ? null : [...new Set(money.flatMap(({ of }) => of ?? []))].sort();
  const windowed = Math.max(0, ...money.map(({ window }) => (window.unit === 'lifetime' ? 0 : windowMs(window))));
  if (cause === 'null_burst') return { types, amount: 'missing', ms: windowed };
  return { types, amount: 'present', ms: money.some(({ window }) => window.unit === 'lifetime') ? FOREVER_MS : windowed };
}
