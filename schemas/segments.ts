/**
 * Segments that performance and drift are reported by: `channel=web`, `tenure=30-90`; empty is all customers. A tenure band
 * holds its lower bound and not its upper one, in days since the customer's first event.
 */
export const TENURE_DAYS = [0, 30, 90, 180, 365] as const;
export const TENURE_FEATURE = 'tenure_days';
export const TENURE_SEGMENTS: readonly string[] = TENURE_DAYS.map((from, i) => segmentOf(from, TENURE_DAYS[i + 1]));

function segmentOf(from: number, to: number | undefined): string {
  return `tenure=${from}${to === undefined ? '+' : `-${to}`}`;
}

/** The band of so many days. Before 0 counts as new; a missing value has no band: empty. */
export function tenureSegment(days: number): string {
  if (Number.isNaN(days)) return '';
  let band = 0;
  while (band + 1 < TENURE_DAYS.length && days >= TENURE_DAYS[band + 1]!) band++;
  return TENURE_SEGMENTS[band]!;
}

/** The same in ClickHouse's SQL. @param days an expression of days, Float64 */
export function tenureSegmentSql(days: string): string {
  const bands = TENURE_SEGMENTS.slice(0, -1).map((segment, i) => `${days} < ${TENURE_DAYS[i + 1]}, '${segment}'`);
  return `multiIf(isNaN(${days}), '', ${bands.join(', ')}, '${TENURE_SEGMENTS.at(-1)}')`;
}
