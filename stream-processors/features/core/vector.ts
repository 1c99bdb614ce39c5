import { DAY_MS, HOUR_MS, Kind, Read, type Lane, type Layout } from './layout.js';
import { dayBase, hourBase, type State } from './state.js';

export type Vector = (state: State, clockMs: number, out: Float64Array, at: number) => void;

/** Compiles the reading of a state: each column is gone through once, newest row to oldest, and written at each window's edge. */
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

/** One column that is not just added up, read once from the newest row back; `stops` are triplets of window, Read, place, shortest window first. */
interface ColumnPlan {
  readonly how: number;
  readonly column: number;
  readonly stops: Int32Array;
}
const DISTINCT = -1;

function compileRead(lane: Lane): ReadLane {
  const stride = lane.width + 1;
  const sizes = Int32Array.from(lane.windows, (window) => window.size);
  const edges = new Int32Array(sizes.length);
  const plans = columnPlans(lane);
  const additive = lane.additive;
  const sums = new Float64Array(additive);
  /** By window, pairs of column and place of what is a plain sum. */
  const sumReads = lane.windows.map(({ reads }) => Int32Array.from(sumsOf(reads, additive)));

  return (data, base, rows, clockBucket, out, at) => {
    const newest = base + (rows - 1) * stride;
    for (let w = 0, row = newest; w < sizes.length; w++) {
      const before = clockBucket - sizes[w]!;
      while (row >= base && data[row]! > before) row -= stride;
      edges[w] = row;
    }
    sums.fill(0);
    for (let w = 0, row = newest; w < sizes.length; w++) {
      const edge = edges[w]!;
      let c = 0;
      for (; c + 4 <= additive; c += 4) addFour(data, row, edge, stride, sums, c);
      for (; c < additive; c++) addOne(data, row, edge, stride, sums, c);
      row = edge;
      const reads = sumReads[w]!;
      for (let i = 0; i < reads.length; i += 2) out[at + reads[i + 1]!] = sums[reads[i]!]!;
    }
    for (let p = 0; p < plans.length; p++) {
      const { how, column, stops } = plans[p]!;
      if (how === Kind.moments) readMoments(data, newest, stride, column, edges, stops, out, at);
      else if (how === DISTINCT) readDistinct(data, newest, stride, column, edges, stops, out, at);
      else readExtremes(data, newest, stride, column, edges, stops, out, at, how === Kind.min ? 1 : -1);
    }
  };
}

/** Adds up four neighbouring columns of the rows down to `edge`: four sums in flight at a time, where one would wait for itself. */
function addFour(data: Float64Array, row: number, edge: number, stride: number, sums: Float64Array, c: number): void {
  let s0 = sums[c]!, s1 = sums[c + 1]!, s2 = sums[c + 2]!, s3 = sums[c + 3]!;
  for (let i = row + 1 + c; i > edge + 1 + c; i -= stride) {
    s0 += data[i]!;
    s1 += data[i + 1]!;
    s2 += data[i + 2]!;
    s3 += data[i + 3]!;
  }
  sums[c] = s0;
  sums[c + 1] = s1;
  sums[c + 2] = s2;
  sums[c + 3] = s3;
}

function addOne(data: Float64Array, row: number, edge: number, stride: number, sums: Float64Array, c: number): void {
  let sum = sums[c]!;
  for (let i = row + 1 + c; i > edge + 1 + c; i -= stride) sum += data[i]!;
  sums[c] = sum;
}

function* sumsOf(reads: Int32Array, additive: number): Generator<number> {
  for (let i = 0; i < reads.length; i += 3) if (reads[i]! < additive) yield* [reads[i]!, reads[i + 2]!];
}

function columnPlans(lane: Lane): ColumnPlan[] {
  const plans = new Map<number, { how: number; column: number; stops: number[] }>();
  lane.windows.forEach(({ reads }, window) => {
    for (let i = 0; i < reads.length; i += 3) {
      const read = reads[i]!;
      if (read < lane.additive) continue;
      // Behind the columns stand the numbers of rows in which a count is above 0. A row's first number is its bucket.
      const counted = read >= lane.width;
      const column = 1 + (counted ? lane.distinct[read - lane.width]! : read);
      const how = counted ? DISTINCT : lane.slots.find((slot) => slot.column === read)!.kind;
      const plan = plans.get(read) ?? { how, column, stops: [] };
      plans.set(read, plan);
      plan.stops.push(window, reads[i + 1]!, reads[i + 2]!);
    }
  });
  return [...plans.values()].map((plan) => ({ ...plan, stops: Int32Array.from(plan.stops) }));
}

/** Number of rows in which a count is above 0. */
function readDistinct(data: Float64Array, newest: number, stride: number, column: number, edges: Int32Array, stops: Int32Array, out: Float64Array, at: number): void {
  let rows = 0;
  let row = newest;
  for (let s = 0; s < stops.length; s += 3) {
    for (const edge = edges[stops[s]!]!; row > edge; row -= stride) if (data[row + column]! > 0) rows++;
    out[at + stops[s + 2]!] = rows;
  }
}

/** Smallest value, or with sign -1 the largest; a row without one holds NaN. */
function readExtremes(data: Float64Array, newest: number, stride: number, column: number, edges: Int32Array, stops: Int32Array, out: Float64Array, at: number, sign: number): void {
  let least = NaN;
  let row = newest;
  for (let s = 0; s < stops.length; s += 3) {
    for (const edge = edges[stops[s]!]!; row > edge; row -= stride) {
      const value = sign * data[row + column]!;
      if (!(least <= value) && value === value) least = value;
    }
    out[at + stops[s + 2]!] = sign * least;
  }
}

/** Merges the rows' moments by Chan, Golub and LeVeque's pairwise update, which loses nothing to cancellation. */
function readMoments(data: Float64Array, newest: number, stride: number, column: number, edges: Int32Array, stops: Int32Array, out: Float64Array, at: number): void {
  let n = 0;
  let mean = 0;
  let squares = 0;
  let row = newest;
  for (let s = 0; s < stops.length; s += 3) {
    for (const edge = edges[stops[s]!]!; row > edge; row -= stride) {
      const more = data[row + column]!;
      if (more === 0) continue;
      const total = n + more;
      const apart = data[row + column + 1]! - mean;
      mean += apart * (more / total);
      squares += data[row + column + 2]! + apart * apart * (n * (more / total));
      n = total;
    }
    out[at + stops[s + 2]!] = fromMoments(stops[s + 1]!, n, mean, squares);
  }
}

const fromMoments = (read: number, n: number, mean: number, squares: number): number =>
  read === Read.mean ? (n > 0 ? mean : NaN) : n > 1 ? Math.sqrt(squares / n) : NaN;

/** The lifetime row: what it holds is the answer. */
function write(data: Float64Array, base: number, reads: Int32Array, out: Float64Array, at: number): void {
  for (let i = 0; i < reads.length; i += 3) {
    const column = base + reads[i]!;
    const read = reads[i + 1]!;
    out[at + reads[i + 2]!] = read === Read.plain ? data[column]! : fromMoments(read, data[column]!, data[column + 1]!, data[column + 2]!);
  }
}
