import { random as seeded } from './random.js';

export interface RandomRows {
  readonly values: Float32Array;
  readonly labels: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** Rows like features are: counts, money, times, constants, a share of NaN in each column; the label depends on some of them. */
export function randomRows(seed: number, rows: number, columns: number): RandomRows {
  const random = seeded(seed);
  const missing = Array.from({ length: columns }, () => random() ** 2);
  const values = new Float32Array(rows * columns);
  const labels = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let z = 0;
    for (let column = 0; column < columns; column++) {
      const kind = column % 4;
      const u = random();
      const value = kind === 0 ? Math.floor(u * 5) : kind === 1 ? u * 1000 : kind === 2 ? -Math.log(1 - u) * 30 : (u - 0.5) * 1e-3;
      const isMissing = random() < missing[column]!;
      values[row * columns + column] = isMissing ? NaN : value;
      z += (isMissing ? 0.7 : u) * ((column % 3) - 1) * 2;
    }
    labels[row] = random() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  }
  return { values, labels, rows, columns };
}
