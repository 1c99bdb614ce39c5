import { tenureSegment } from '../../../schemas/segments.js';
import { channelSegment } from '../../../schemas/drift/segments.js';

/** Which scores a subscriber wants: every condition that is given must hold. */
export interface Filter {
  /** Null: every customer. */
  readonly customers: ReadonlySet<string> | null;
  /** Segments by kind, as schemas/segments.ts names them; within a kind any of them. */
  readonly channels: ReadonlySet<string> | null;
  readonly tenures: ReadonlySet<string> | null;
  readonly modelVersions: ReadonlySet<string> | null;
  /** Only scores at or above it. */
  readonly threshold: number;
  /** Only the scores that take a customer across; null: all. */
  readonly crossing: Levels | null;
  /** Share of the scores, above 0 up to 1. Which ones is decided by the prediction's id: every subscriber gets the same sample. */
  readonly sample: number;
}

/** A customer rises at `up` or more and falls below `down`; in between nothing changes. */
export interface Levels {
  readonly up: number;
  readonly down: number;
}

/** What a filter looks at in a score. */
export interface Facts {
  readonly customerId: string;
  readonly predictionId: string;
  readonly modelVersion: string;
  readonly score: number;
  /** `channel=web`; `channel=` where no event made the score (a sweep). */
  readonly channel: string;
  /** `tenure=30-90`; empty where it is not known. */
  readonly tenure: string;
}

export const EVERYTHING: Filter = { customers: null, channels: null, tenures: null, modelVersions: null, threshold: 0, crossing: null, sample: 1 };

/** The segments of a score. @param tenureDays NaN where it is missing */
export const segmentsOf = (channel: string, tenureDays: number): Pick<Facts, 'channel' | 'tenure'> => ({ channel: channelSegment(channel), tenure: tenureSegment(tenureDays) });

/** A number in [0, 1) that is spread evenly over ids (FNV-1a with a final mix, 32 bits). */
export function spread(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Whether a score meets every condition but the crossing, which depends on the scores before it. */
export function fits({ customers, channels, tenures, modelVersions, threshold, sample }: Filter, facts: Facts): boolean {
  return facts.score >= threshold
    && (customers === null || customers.has(facts.customerId))
    && (channels === null || channels.has(facts.channel))
    && (tenures === null || tenures.has(facts.tenure))
    && (modelVersions === null || modelVersions.has(facts.modelVersion))
    && (sample === 1 || spread(facts.predictionId) < sample);
}
