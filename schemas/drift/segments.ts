/** One definition of the tenure bands for profiles, drift and performance: schemas/segments.ts. */
export { TENURE_SEGMENTS, tenureSegment, tenureSegmentSql } from '../segments.js';

/** The segment of a channel; rows that no channel is known of (sweeps) have none. */
export const channelSegment = (channel: string): string => `channel=${channel}`;

/**
 * Segments of a training profile by what made a row: a customer's event, or a moment in silence. A model's rows have
 * another mixture of the two than a window of production; with these profiles the reference is mixed as the window is.
 */
export const TRIGGER_SEGMENTS = { event: 'trigger=event', sweep: 'trigger=sweep' } as const;
