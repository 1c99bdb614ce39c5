export interface TestVectors {
  /** NaN is null. */
  readonly inputs: (number | null)[][];
  /** Index of the row each input came from; undefined for the made-up ones, which come last. */
  readonly rows: readonly number[];
}

const SPREAD_ROWS = 24;

/**
 * Rows that a loaded model must reproduce: some spread over the given rows, for every feature one where it is missing and
 * one where it is largest, and two made-up ones, all zero and all missing.
 */
export function chooseTestVectors(values: Float32Array, rows: number, columns: number): TestVectors {
  const chosen = new Set<number>();
  for (let i = 0; i < Math.min(SPREAD_ROWS, rows); i++) chosen.add(Math.floor((i * rows) / Math.min(SPREAD_ROWS, rows)));
  for (let column = 0; column < columns; column++) {
    let missing = -1;
    let largest = -1;
    for (let row = 0; row < rows; row++) {
      const value = values[row * columns + column]!;
      if (Number.isNaN(value)) { if (missing < 0) missing = row; }
      else if (largest < 0 || value > values[largest * columns + column]!) largest = row;
    }
    if (missing >= 0) chosen.add(missing);
    if (largest >= 0) chosen.add(largest);
  }
  const order = [...chosen].sort((a, b) => a - b);
  const inputs = order.map((row) => Array.from(values.subarray(row * columns, (row + 1) * columns), (value) => (Number.isNaN(value) ? null : value)));
  inputs.push(new Array<number>(columns).fill(0), new Array<null>(columns).fill(null));
  return { inputs, rows: order };
}
