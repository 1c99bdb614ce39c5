/** A bin's number for missing values (NaN). */
export const MISSING_BIN = 32_767;
/** Bins to a doubling of the value: 2^(1/32) - 1 = 2.2 % wide. */
export const BINS_PER_DOUBLING = 32;
export const EXPONENT_MAX = 8_000;
export const POSITIVE_ORIGIN = 10_000;

/**
 * A value's bin in histograms of features (ClickHouse's feature_hours, a model's profile): 0 for zero, 10000 + floor(32 log2 v)
 * for positive values, mirrored for negative ones, so that the order of bins is the order of values.
 */
export function binOf(value: number): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  if (value === 0) return 0;
  const place = POSITIVE_ORIGIN + Math.min(Math.max(Math.floor(Math.log2(Math.abs(value)) * BINS_PER_DOUBLING), -EXPONENT_MAX), EXPONENT_MAX);
  return value > 0 ? place : -place;
}
