import { DAY_MS, HOUR_MS, Read, type Lane, type Layout } from './layout.js';
import { dayBase, hourBase, type State } from './state.js';

export type Vector = (state: State, clockMs: number, out: Float64Array, at: number) => void;

/** Compiles the reading of a state: one pass over each lane's rows, newest to oldest, stopping at each window's edge to write. */
export function compileVector(layout: Layout): Vector {
  const readHours = compileRead(layout.hours);
  const readDays = compileRead(layout.days);
  const { since, lasts, ratios, life, lifeBase } = layout;
  const lifeReads = life.windows[0]?.reads ?? new Int32Array(0);

  return (state, clockMs, out, at) => {
    const data = state.data;
    const clock = clockMs > data[0]! ? clockMs : data[0]!;
    readHours(data, hourBase(layout, state), state.hours, Math.floor(clock / HOUR_MS), out, at);
    readDays(data, dayBase(layout, state), state.days, Math.floor(clock / DAY_MS), out, at);
    write(data, lifeBase, lifeReads, out, at);
    for (let i = 0; i < since.length; i += 3) {
      const time = data[since[i]!]!;
      out[at + since[i + 2]!] = time > 0 ? (clock - time) / since[i + 1]! : NaN;
    }
    for (let i = 0; i < lasts.length; i += 2) out[at + lasts[i + 1]!] = data[lasts[i]!]!;
    for (let i = 0; i < ratios.length; i += 3) {
      const denominator = out[at + ratios[i + 1]!]!;
      out[at + ratios[i + 2]!] = denominator === 0 ? NaN : out[at + ratios[i]!]! / denominator;
    }
  };
}

type ReadLane = (data: Float64Array, base: number, rows: number, clockBucket: number, out: Float64Array, at: number) => void;

function compileRead(lane: Lane): ReadLane {
  const { width, additive, minsEnd, maxsEnd, distinct, windows } = lane;
  const stride = width + 1;
  const sums = new Float64Array(width + distinct.length);

  return (data, base, rows, clockBucket, out, at) => {
    sums.fill(0);
    for (let c = additive; c < maxsEnd; c++) sums[c] = NaN;
    let row = base + (rows - 1) * stride;
    for (let w = 0; w < windows.length; w++) {
      const window = windows[w]!;
      const oldest = clockBucket - window.size;
      for (; row >= base && data[row]! > oldest; row -= stride) {
        for (let c = 0; c < additive; c++) sums[c]! += data[row + 1 + c]!;
        for (let i = 0; i < distinct.length; i++) if (data[row + 1 + distinct[i]!]! > 0) sums[width + i]!++;
        for (let c = additive; c < minsEnd; c++) if (!(sums[c]! <= data[row + 1 + c]!) && data[row + 1 + c] === data[row + 1 + c]) sums[c] = data[row + 1 + c]!;
        for (let c = minsEnd; c < maxsEnd; c++) if (!(sums[c]! >= data[row + 1 + c]!) && data[row + 1 + c] === data[row + 1 + c]) sums[c] = data[row + 1 + c]!;
        for (let c = maxsEnd; c < width; c += 3) mergeMoments(sums, c, data, row + 1 + c);
      }
      write(sums, 0, window.reads, out, at);
    }
  };
}

/** Chan, Golub and LeVeque's pairwise update: the moments of two disjoint samples together. */
function mergeMoments(into: Float64Array, to: number, from: Float64Array, at: number): void {
  const m = from[at]!;
  if (m === 0) return;
  const n = into[to]!;
  const total = n + m;
  const apart = from[at + 1]! - into[to + 1]!;
  into[to] = total;
  into[to + 1]! += apart * (m / total);
  into[to + 2]! += from[at + 2]! + apart * apart * (n * (m / total));
}

function write(columns: Float64Array, base: number, reads: Int32Array, out: Float64Array, at: number): void {
  for (let i = 0; i < reads.length; i += 3) {
    const column = base + reads[i]!;
    const read = reads[i + 1]!;
    const to = at + reads[i + 2]!;
    if (read === Read.plain) out[to] = columns[column]!;
    else if (read === Read.mean) out[to] = columns[column]! > 0 ? columns[column + 1]! : NaN;
    else out[to] = columns[column]! > 1 ? Math.sqrt(columns[column + 2]! / columns[column]!) : NaN;
  }
}
