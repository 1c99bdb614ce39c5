/** Which scores a subscriber wants: every given condition must hold. */
export interface Subscription {
  /** Null: every customer. */
  readonly customers: ReadonlySet<string> | null;
  /** Only scores at or above it. */
  readonly threshold: number;
  /** Share of the scores, above 0 up to 1. Which ones is decided by the prediction's id: every subscriber gets the same sample. */
  readonly sample: number;
}

export const EVERYTHING: Subscription = { customers: null, threshold: 0, sample: 1 };

/** A number in [0, 1) that is spread evenly over ids (FNV-1a with a final mix, 32 bits). */
export function spread(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export function wants({ customers, threshold, sample }: Subscription, customerId: string, score: number, predictionId: string): boolean {
  return score >= threshold && (customers === null || customers.has(customerId)) && (sample === 1 || spread(predictionId) < sample);
}
