import type { Period } from './plan.js';
import { mix } from './random.js';

/** Parts that the customers are divided into by a hash of their number. */
export const CUSTOMER_GROUPS = 3;
const WINDOWS_MAX = 3;
const WINDOW_DAYS_MIN = 2;
/** Share of the time after the first gap that is validated on; what is before trains the first fold. */
const VALIDATED_SHARE = 0.6;
const DAY_MS = 86_400_000;

/**
 * One fold of the cross-validation: it trains on earlier moments of some customers and validates on later moments of the
 * others. A horizon lies between, so that no purchase decides a label on both sides.
 */
export interface Fold {
  readonly window: number;
  readonly group: number;
  readonly train: Period;
  readonly validation: Period;
}

/**
 * Expanding windows over the training period, the earliest first.
 * @param rotate each window once for every group of customers (three times the work, all rows validated), else one group a window
 */
export function foldsOf({ after, to }: Period, horizon_ms: number, rotate: boolean): Fold[] {
  const rest = to - after - horizon_ms;
  const windows = Math.min(WINDOWS_MAX, Math.floor((rest * VALIDATED_SHARE) / (WINDOW_DAYS_MIN * DAY_MS)));
  if (!(windows >= 1)) return [];
  const length = Math.floor((rest * VALIDATED_SHARE) / windows);
  return Array.from({ length: windows }, (_, window) => window).flatMap((window) => {
    const from = to - (windows - window) * length;
    const groups = rotate ? Array.from({ length: CUSTOMER_GROUPS }, (_, group) => group) : [window % CUSTOMER_GROUPS];
    return groups.map((group): Fold => ({ window, group, train: { after, to: from - horizon_ms }, validation: { after: from, to: from + length } }));
  });
}

export const groupOf = (customer: number): number => mix(customer, 0x5eed) % CUSTOMER_GROUPS;

export type Side = 'train' | 'validation' | undefined;

/** Which side of a fold a row stands on, by its moment and its customer. */
export function sideOf({ group, train, validation }: Fold, at: number, customer: number): Side {
  const own = groupOf(customer) === group;
  if (own) return at > validation.after && at <= validation.to ? 'validation' : undefined;
  return at > train.after && at <= train.to ? 'train' : undefined;
}
