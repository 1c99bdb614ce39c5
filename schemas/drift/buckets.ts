/** A piece of a plot's axis and the shares that fall into it. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  /** Share of the base's values, 0 to 1. */
  readonly reference: number;
  /** Share of the window's values. */
  readonly window: number;
}

/** Beyond these shares of both sides together values go into the outermost buckets. */
const TAIL = 0.005;
/** From this many times the median on, positive values are shown on a logarithmic axis. */
const LONG_TAIL = 50;

/**
 * Puts two histograms on one axis for showing: each value its own bucket where there are few, else equal pieces of the
 * range without its tails, of the logarithm where values reach far.
 * @param values ascending; rows of each in `reference` and `window`
 * @param most buckets at most
 * @returns empty where there are no values
 */
export function bucketsOf(values: readonly number[], reference: readonly number[], window: readonly number[], most: number): Bucket[] {
  const shares = (rows: readonly number[]): number[] => {
    const total = rows.reduce((sum, count) => sum + count, 0);
    return rows.map((count) => (total > 0 ? count / total : 0));
  };
  const [p, q] = [shares(reference), shares(window)];
  const seen = values.map((_, i) => i).filter((i) => p[i]! + q[i]! > 0);
  if (seen.length === 0) return [];
  if (seen.length <= most) return seen.map((i) => ({ from: values[i]!, to: values[i]!, reference: p[i]!, window: q[i]! }));

  const at = (share: number): number => {
    let sum = 0;
    for (const i of seen) {
      sum += (p[i]! + q[i]!) / 2;
      if (sum >= share) return values[i]!;
    }
    return values[seen.at(-1)!]!;
  };
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  if (!(high > low)) return [{ from: values[seen[0]!]!, to: values[seen.at(-1)!]!, reference: 1, window: 1 }];
  const logarithmic = low >= 0 && at(0.5) > 0 && high > LONG_TAIL * at(0.5);
  const scale = logarithmic ? (value: number): number => Math.log1p(Math.max(value, 0)) : (value: number): number => value;
  const unscale = logarithmic ? Math.expm1 : (value: number): number => value;
  const [start, width] = [scale(low), (scale(high) - scale(low)) / most];
  const sums = Array.from({ length: most }, () => ({ reference: 0, window: 0 }));
  for (const i of seen) {
    const sum = sums[Math.min(most - 1, Math.max(0, Math.floor((scale(values[i]!) - start) / width)))]!;
    sum.reference += p[i]!;
    sum.window += q[i]!;
  }
  return sums.map((sum, i) => ({ from: unscale(start + i * width), to: unscale(start + (i + 1) * width), ...sum }));
}
