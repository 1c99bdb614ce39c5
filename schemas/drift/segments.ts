/** Bands of tenure_days, [from, to): the segments `tenure=0-30` … `tenure=365-`. */
export const TENURE_BANDS_DAYS = [0, 30, 90, 365] as const;

/** Names of the tenure segments, youngest first. */
export const TENURE_SEGMENTS: readonly string[] = TENURE_BANDS_DAYS.map((from, index) => `tenure=${from}-${TENURE_BANDS_DAYS[index + 1] ?? ''}`);

/** @param tenureDays days since the customer's first event; NaN or negative counts as 0 */
export const tenureSegment = (tenureDays: number): string => TENURE_SEGMENTS[TENURE_BANDS_DAYS.findLastIndex((from) => from === 0 || tenureDays >= from)]!;

/** The segment of a channel; rows that no channel is known of (sweeps) have none. */
export const channelSegment = (channel: string): string => `channel=${channel}`;

/**
 * Segments of a training profile by what made a row: a customer's event (`event`), or a moment of silence, as the sweep's
 * (`sweep`: snapshots of customers without an event in the 24 hours before). A model's rows have another mixture of the two
 * than a window of production; with both profiles the reference is mixed as the window is.
 */
export type RowTrigger = 'event' | 'sweep';

/** The segment of a profile within another one: `trigger=event`, `tenure=0-30,trigger=sweep`. @param segment empty for all rows */
export const triggerSegment = (segment: string, trigger: RowTrigger): string => `${segment}${segment === '' ? '' : ','}trigger=${trigger}`;

/** SQL for the tenure segment of a row, the same as `tenureSegment`. */
export function tenureSegmentSql(tenureDays: string): string {
  const cases = TENURE_BANDS_DAYS.slice(1).map((to, index) => `${tenureDays} < ${to}, '${TENURE_SEGMENTS[index]}'`);
  return `multiIf(isNaN(${tenureDays}), '${TENURE_SEGMENTS[0]}', ${cases.join(', ')}, '${TENURE_SEGMENTS.at(-1)}')`;
}
