/** One definition of the tenure bands for profiles, drift and performance: schemas/segments.ts. */
export { TENURE_SEGMENTS, tenureSegment, tenureSegmentSql } from '../segments.js';

/** The segment of a channel; rows that no channel is known of (sweeps) have none. */
export const channelSegment = (channel: string): string => `channel=${channel}`;

/**
 * Segments of a training profile by what made a row: a customer's event (`event`), or a moment of silence, as the sweep's
 * (`sweep`: snapshots of customers without an event in the 24 hours before). A model's rows have another mixture of the two
 * than a window of production; with both profiles the reference is mixed as the window is.
 */
export const TRIGGER_SEGMENTS = { event: 'trigger=event', sweep: 'trigger=sweep' } as const;

/** The same within another segment: `tenure=0-30,trigger=sweep`. @param segment empty for all rows */
export const triggerSegment = (segment: string, trigger: keyof typeof TRIGGER_SEGMENTS): string => `${segment}${segment === '' ? '' : ','}${TRIGGER_SEGMENTS[trigger]}`;
