import type { BucketOptions, Buckets } from './buckets.js';

/** Fields of draft-ietf-httpapi-ratelimit-headers (revision 10): what is granted, and what is left of it. */
export const POLICY_FIELD = 'ratelimit-policy';
export const STATE_FIELD = 'ratelimit';

/** `"key";q=20;w=2`: q requests at once, all of them back after w seconds. Decided at load: it does not change. */
export const policyItem = (name: string, { burst, ratePerS }: Pick<BucketOptions, 'burst' | 'ratePerS'>): string =>
  `"${name}";q=${Math.floor(burst)};w=${Math.max(1, Math.ceil(burst / ratePerS))}`;

/** `"key";r=19;t=1`: r requests are left, t seconds until all are back. */
export const stateItem = (name: string, { remaining, fullInMs }: Pick<Buckets, 'remaining' | 'fullInMs'>): string =>
  `"${name}";r=${remaining};t=${Math.ceil(fullInMs / 1000)}`;

/** Whole seconds after which a request will be taken, at least one. */
export const retryAfterS = ({ waitMs }: Pick<Buckets, 'waitMs'>): number => Math.max(1, Math.ceil(waitMs / 1000));
