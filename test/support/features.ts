import { EVENT_TYPES } from '../../schemas/events/customer-event.js';
import { hashId } from '../../schemas/events/hash-id.js';
import type { Reducer, State } from '../../stream-processors/features/core/reducer.js';
import type { OracleEvent } from './oracle.js';

/** Feeds one event to the reducer as the processor does. */
export const take = (reducer: Reducer, state: State, event: OracleEvent): number =>
  reducer.update(state, EVENT_TYPES.indexOf(event.event_type), event.amount ?? NaN, event.quantity ?? NaN, event.event_time, hashId(event.event_id));

/** Both NaN, or within a relative (below 1: absolute) difference of 1e-9. */
export function agree(got: number, want: number): boolean {
  if (Number.isNaN(want) || Number.isNaN(got)) return Number.isNaN(want) && Number.isNaN(got);
  return Math.abs(got - want) <= 1e-9 * Math.max(1, Math.abs(want));
}

/** The first place where two vectors differ, in words; undefined where they agree. */
export function difference(names: readonly string[], got: ArrayLike<number>, want: ArrayLike<number>): string | undefined {
  if (got.length !== names.length || want.length !== names.length) return `lengths ${got.length} and ${want.length}, expected ${names.length}`;
  const i = names.findIndex((_, place) => !agree(got[place]!, want[place]!));
  return i < 0 ? undefined : `${names[i]}: got ${got[i]}, want ${want[i]}`;
}
