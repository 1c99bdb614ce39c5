import { Kind, type Lane, type Layout } from './layout.js';

/**
 * What is kept of one customer. `data` holds, one after the other: the scalars, the ring of recent ids, the hour rows and
 * the day rows, each region with room to grow. A row is its bucket number and the lane's columns; rows stand oldest first.
 */
export interface State {
  data: Float64Array;
  idCapacity: number;
  hourCapacity: number;
  dayCapacity: number;
  idCount: number;
  /** Where the next id goes; with a full ring also where the oldest stands. */
  idNext: number;
  hours: number;
  days: number;
}

export const hourStride = (layout: Layout): number => layout.hours.width + 1;
export const dayStride = (layout: Layout): number => layout.days.width + 1;
export const hourBase = (layout: Layout, state: State): number => layout.scalars + state.idCapacity;
export const dayBase = (layout: Layout, state: State): number => layout.scalars + state.idCapacity + state.hourCapacity * (layout.hours.width + 1);

/** A state with room for so many ids and rows, holding none. */
export function emptyState(layout: Layout, idCapacity: number, hourCapacity: number, dayCapacity: number): State {
  const data = new Float64Array(layout.scalars + idCapacity + hourCapacity * hourStride(layout) + dayCapacity * dayStride(layout));
  for (let i = layout.lastBase; i < layout.lifeBase; i++) data[i] = NaN;
  clearRow(data, layout.lifeBase, layout.life);
  return { data, idCapacity, hourCapacity, dayCapacity, idCount: 0, idNext: 0, hours: 0, days: 0 };
}

/** Sets the columns at `base` to what they are before any event: 0, or NaN for minima and maxima. */
export function clearRow(data: Float64Array, base: number, lane: Lane): void {
  for (let c = 0; c < lane.width; c++) data[base + c] = c >= lane.additive && c < lane.maxsEnd ? NaN : 0;
}

/** The initial value of each column of a lane. */
export const columnDefaults = (lane: Lane): Float64Array => {
  const defaults = new Float64Array(lane.width);
  for (const slot of lane.slots) if (slot.kind === Kind.min || slot.kind === Kind.max) defaults[slot.column] = NaN;
  return defaults;
};

/** Gives the regions new capacities, none below what is in use. */
export function reshape(layout: Layout, state: State, idCapacity: number, hourCapacity: number, dayCapacity: number): void {
  const hoursFrom = hourBase(layout, state);
  const daysFrom = dayBase(layout, state);
  const old = state.data;
  const hoursTo = layout.scalars + idCapacity;
  const daysTo = hoursTo + hourCapacity * hourStride(layout);
  const data = new Float64Array(daysTo + dayCapacity * dayStride(layout));
  const copy = (from: number, length: number, to: number): void => { for (let i = 0; i < length; i++) data[to + i] = old[from + i]!; };
  copy(0, layout.scalars + state.idCount, 0);
  copy(hoursFrom, state.hours * hourStride(layout), hoursTo);
  copy(daysFrom, state.days * dayStride(layout), daysTo);
  state.data = data;
  state.idCapacity = idCapacity;
  state.hourCapacity = hourCapacity;
  state.dayCapacity = dayCapacity;
}

/** Half as many rows again, at least two, never more than a window of the lane can hold. */
export const grownRows = (capacity: number, lane: Lane): number => Math.min(capacity + Math.max(2, capacity >> 1), lane.span);
export const grownIds = (capacity: number, layout: Layout): number => Math.min(Math.max(4, capacity * 2), layout.ids);
