/**
 * How rows are made ready for a linear model. Each feature is centred, scaled and bounded; a missing value is the mean, and a
 * column of its own, of the same deviation, says that it was missing.
 */
export interface Standardisation {
  readonly columns: number;
  /** Of the values that are there, by feature; deviation 1 where they are all alike. */
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** Features with missing values, in order; each has an indicator column after the others. */
  readonly missing: readonly number[];
  /** The value of an indicator that is set, one a missing feature. */
  readonly missing_value: Float32Array;
}

/** Beyond so many deviations a value counts as that: one absurd amount does not decide a score alone. */
export const DEVIATIONS_MAX = 8;

export function fitStandardisation(values: Float32Array, rows: number, columns: number): Standardisation {
  const times = new Uint32Array(columns);
  for (let i = 0; i < rows * columns; i++) if (Number.isNaN(values[i]!)) times[i % columns]!++;
  const missing = [...times.keys()].filter((column) => times[column]! > 0);
  return { columns, ...scaleOf(values, rows, columns), missing, missing_value: Float32Array.from(missing, (column) => indicatorValue(times[column]! / rows)) };
}

function scaleOf(values: Float32Array, rows: number, columns: number): Pick<Standardisation, 'mean' | 'deviation'> {
  const mean = new Float32Array(columns);
  const deviation = new Float32Array(columns).fill(1);
  for (let column = 0; column < columns; column++) {
    let [there, running, squares] = [0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const value = values[row * columns + column]!;
      if (Number.isNaN(value)) continue;
      // Welford: no difference of large sums.
      const distance = value - running;
      running += distance / ++there;
      squares += distance * (value - running);
    }
    if (there === 0) continue;
    mean[column] = running;
    if (squares / there > 1e-12) deviation[column] = Math.sqrt(squares / there);
  }
  return { mean, deviation };
}

/** One over the deviation of an indicator that is set in this share of the rows; its centre is the bias's. */
const indicatorValue = (share: number): number => Math.min(DEVIATIONS_MAX, 1 / Math.sqrt(Math.max(share * (1 - share), Number.EPSILON)));

export const widthOf = ({ columns, missing }: Standardisation): number => columns + missing.length;

/** @returns rows × (features, indicators) without NaN */
export function standardise(standardisation: Standardisation, values: Float32Array, rows: number): Float32Array {
  const { columns, mean, deviation, missing, missing_value } = standardisation;
  const width = widthOf(standardisation);
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column]!;
      if (!Number.isNaN(value)) out[row * width + column] = Math.min(DEVIATIONS_MAX, Math.max(-DEVIATIONS_MAX, (value - mean[column]!) / deviation[column]!));
    }
    missing.forEach((column, i) => { if (Number.isNaN(values[row * columns + column]!)) out[row * width + columns + i] = missing_value[i]!; });
  }
  return out;
}
