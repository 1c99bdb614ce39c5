import { DAY_MS, HOUR_MS, Kind, Value, type Lane, type Layout } from './layout.js';
import { clearRow, dayBase, dayStride, grownIds, grownRows, hourBase, hourStride, reshape, type State } from './state.js';

/** What became of an event. */
export const Outcome = { accepted: 0, duplicate: 1, tooLate: 2 } as const;

export type Update = (state: State, typeCode: number, amount: number, quantity: number, timeMs: number, idHash: number) => number;

/** Compiles the step that takes one event into a state. */
export function compileUpdate(layout: Layout): Update {
  const { sequenceBase, firstBase, lastBase, lifeBase, scalars } = layout;
  const values = new Float64Array(Value.gap + layout.sequences);
  const inOrder = new Uint8Array(layout.sequences);
  const dayWide = dayStride(layout);
  const hourWide = hourStride(layout);

  return (state, typeCode, amount, quantity, timeMs, idHash) => {
    const duplicate = seen(layout, state, idHash);
    if (layout.ids > 0) remember(layout, state, idHash);
    if (duplicate) return Outcome.duplicate;

    let data = state.data;
    const day = Math.floor(timeMs / DAY_MS);
    const latest = data[0]!;
    if (timeMs > latest) {
      data[0] = timeMs;
      if (latest > 0) {
        if (day > Math.floor(latest / DAY_MS)) state.days = prune(data, dayBase(layout, state), dayWide, state.days, day - layout.days.span);
        const hour = Math.floor(timeMs / HOUR_MS);
        if (hour > Math.floor(latest / HOUR_MS)) state.hours = prune(data, hourBase(layout, state), hourWide, state.hours, hour - layout.hours.span);
      }
    } else if (day <= Math.floor(latest / DAY_MS) - layout.horizonDays) return Outcome.tooLate;

    // Adding 0 turns -0 into 0, which the encoded state does not tell apart.
    values[Value.amount] = amount + 0;
    values[Value.quantity] = quantity + 0;
    const sequences = layout.sequencesOf[typeCode]!;
    for (let i = 0; i < sequences.length; i++) {
      const sequence = sequences[i]!;
      const before = data[sequenceBase + sequence]!;
      const follows = timeMs >= before;
      inOrder[sequence] = follows ? 1 : 0;
      values[Value.gap + sequence] = follows && before > 0 ? (timeMs - before) / DAY_MS : NaN;
      if (follows) data[sequenceBase + sequence] = timeMs;
    }
    const firsts = layout.firstsOf[typeCode]!;
    for (let i = 0; i < firsts.length; i++) {
      const at = firstBase + firsts[i]!;
      if (data[at] === 0 || timeMs < data[at]!) data[at] = timeMs;
    }
    const lasts = layout.lastsOf[typeCode]!;
    for (let i = 0; i < lasts.length; i += 3) {
      const value = values[lasts[i + 2]!]!;
      if (inOrder[lasts[i + 1]!] === 1 && value === value) data[lastBase + lasts[i]!] = value;
    }
    const ofLife = layout.life.ops[typeCode]!;
    if (ofLife.length > 0) apply(data, lifeBase, ofLife, values);

    const ofHour = layout.hours.ops[typeCode]!;
    if (ofHour.length > 0) {
      const hour = Math.floor(timeMs / HOUR_MS);
      if (hour > Math.floor(data[0]! / HOUR_MS) - layout.hours.span) {
        const base = scalars + state.idCapacity;
        let row = find(data, base, hourWide, state.hours, hour);
        if (row < 0) {
          row = ~row;
          if (state.hours === state.hourCapacity) {
            reshape(layout, state, state.idCapacity, grownRows(state.hourCapacity, layout.hours), state.dayCapacity);
            data = state.data;
          }
          insert(data, base, hourWide, state.hours++, row, hour, layout.hours);
        }
        apply(data, base + row * hourWide + 1, ofHour, values);
      }
    }
    const ofDay = layout.days.ops[typeCode]!;
    if (ofDay.length > 0 && day > Math.floor(data[0]! / DAY_MS) - layout.days.span) {
      const base = dayBase(layout, state);
      let row = find(data, base, dayWide, state.days, day);
      if (row < 0) {
        row = ~row;
        if (state.days === state.dayCapacity) {
          reshape(layout, state, state.idCapacity, state.hourCapacity, grownRows(state.dayCapacity, layout.days));
          data = state.data;
        }
        insert(data, base, dayWide, state.days++, row, day, layout.days);
      }
      apply(data, base + row * dayWide + 1, ofDay, values);
    }
    return Outcome.accepted;
  };
}

function seen(layout: Layout, state: State, idHash: number): boolean {
  const { data, idCount } = state;
  const base = layout.scalars;
  for (let i = 0; i < idCount; i++) if (data[base + i] === idHash) return true;
  return false;
}

function remember(layout: Layout, state: State, idHash: number): void {
  if (state.idCount === state.idCapacity && state.idCount < layout.ids)
    reshape(layout, state, grownIds(state.idCapacity, layout), state.hourCapacity, state.dayCapacity);
  state.data[layout.scalars + state.idNext] = idHash;
  if (state.idCount < layout.ids) state.idCount++;
  state.idNext = state.idNext + 1 === layout.ids ? 0 : state.idNext + 1;
}

/** Drops the rows whose bucket is at or before `last`, and returns how many remain. */
function prune(data: Float64Array, base: number, stride: number, rows: number, last: number): number {
  let gone = 0;
  while (gone < rows && data[base + gone * stride]! <= last) gone++;
  if (gone > 0) data.copyWithin(base, base + gone * stride, base + rows * stride);
  return rows - gone;
}

/** The row of a bucket, or the complement of where it belongs. Events come nearly in order, so the search starts at the newest. */
function find(data: Float64Array, base: number, stride: number, rows: number, bucket: number): number {
  for (let row = rows - 1; row >= 0; row--) {
    const at = data[base + row * stride]!;
    if (at === bucket) return row;
    if (at < bucket) return ~(row + 1);
  }
  return ~0;
}

function insert(data: Float64Array, base: number, stride: number, rows: number, row: number, bucket: number, lane: Lane): void {
  const at = base + row * stride;
  if (row < rows) data.copyWithin(at + stride, at, base + rows * stride);
  data[at] = bucket;
  clearRow(data, at + 1, lane);
}

/** Adds an event's values to the columns at `base`. Moments by Welford's update, which loses nothing to cancellation. */
function apply(data: Float64Array, base: number, ops: Int32Array, values: Float64Array): void {
  for (let i = 0; i < ops.length; i += 3) {
    const at = base + ops[i + 1]!;
    const kind = ops[i]!;
    if (kind === Kind.count) {
      data[at]!++;
      continue;
    }
    const value = values[ops[i + 2]!]!;
    if (value !== value) continue;
    if (kind === Kind.sum) data[at]! += value;
    else if (kind === Kind.min) { if (!(data[at]! <= value)) data[at] = value; }
    else if (kind === Kind.max) { if (!(data[at]! >= value)) data[at] = value; }
    else {
      const n = ++data[at]!;
      const before = value - data[at + 1]!;
      const mean = data[at + 1]! + before / n;
      data[at + 1] = mean;
      data[at + 2]! += before * (value - mean);
    }
  }
}
