import { readVarint, skipVarint } from './wire.js';

/**
 * Where the fields of one customer-features value stand in its bytes. Most of them go into the prediction as they are,
 * so that no string is decoded and no number converted on the way.
 */
export interface FeatureScan {
  /** Length prefix and bytes of customer_id, from `customer` up to `event`; the text itself begins at `customerText`. */
  customer: number;
  customerText: number;
  event: number;
  eventTime: number;
  trigger: number;
  viewVersion: number;
  producedAt: number;
  committedAt: number;
  channel: number;
  /** The first feature: the rest is one little-endian double per feature. */
  values: number;
}

export const newFeatureScan = (): FeatureScan =>
  ({ customer: 0, customerText: 0, event: 0, eventTime: 0, trigger: 0, viewVersion: 0, producedAt: 0, committedAt: 0, channel: 0, values: 0 });

/**
 * Finds the fields of a value written with `featuresAvro(view)` (a test holds the order equal to the schema's).
 * @param start where the Avro value begins, after the frame
 * @returns false where the bytes are not such a value
 */
export function scanFeatures(bytes: Uint8Array, start: number, end: number, featureCount: number, scan: FeatureScan): boolean {
  scan.customer = start;
  scan.customerText = skipVarint(bytes, start, end);
  scan.event = skipText(bytes, start, end);
  scan.eventTime = scan.event < 0 ? -1 : skipText(bytes, scan.event, end);
  scan.trigger = skipNumber(bytes, scan.eventTime, end);
  scan.viewVersion = skipNumber(bytes, scan.trigger, end);
  scan.producedAt = skipNumber(bytes, scan.viewVersion, end);
  scan.committedAt = skipNumber(bytes, scan.producedAt, end);
  scan.channel = skipNumber(bytes, scan.committedAt, end);
  scan.values = scan.channel < 0 ? -1 : skipText(bytes, scan.channel, end);
  return scan.values >= 0 && end - scan.values === featureCount * 8;
}

const skipNumber = (bytes: Uint8Array, at: number, end: number): number => (at < 0 ? -1 : skipVarint(bytes, at, end));

function skipText(bytes: Uint8Array, at: number, end: number): number {
  const text = skipVarint(bytes, at, end);
  if (text < 0) return -1;
  const length = readVarint(bytes, at);
  return length >= 0 && text + length <= end ? text + length : -1;
}

/** Copies the doubles at `scan.values` into row `row` of a float32 matrix; NaN, a missing value, stays NaN. */
export function fillRow(view: DataView, scan: FeatureScan, matrix: Float32Array, row: number, featureCount: number): void {
  for (let i = 0, at = row * featureCount, from = scan.values; i < featureCount; i++, from += 8) matrix[at + i] = view.getFloat64(from, true);
}
