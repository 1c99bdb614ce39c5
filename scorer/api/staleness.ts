import { z } from 'zod';
import type { TaggedResponse } from './problem.js';
import { partitionOfPrediction } from '../store/prediction.js';

/** How current the online store is for a customer: what answers by customer id say, in their JSON and as the header Age. */
export interface Staleness {
  /** ISO 8601; null where this process has not heard of the customer's partition since it started. */
  readonly as_of: string | null;
  /** Whole seconds since then. */
  readonly stale_s: number | null;
}

export const stalenessSchema = {
  as_of: z.iso.datetime().nullable().optional().describe('all that was written up to then is in the answer; null: not known since the start'),
  stale_s: z.int().min(0).nullable().optional().describe('seconds since as_of; also the header Age'),
};

/** @param framed the customer's prediction in the online store */
export function stalenessOf(framed: Buffer, asOf: (partition: number) => number | undefined, nowMs: number): Staleness {
  const at = asOf(partitionOfPrediction(framed));
  return at === undefined ? { as_of: null, stale_s: null } : { as_of: new Date(at).toISOString(), stale_s: Math.max(0, Math.floor((nowMs - at) / 1000)) };
}

/** The same as a header. */
export function aged(res: TaggedResponse, staleness: Staleness | undefined): TaggedResponse {
  if (typeof staleness?.stale_s === 'number') res.moreHeaders = [...(res.moreHeaders ?? []), 'age', String(staleness.stale_s)];
  return res;
}
