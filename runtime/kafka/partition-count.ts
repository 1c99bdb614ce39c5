import { TidemarkError } from '../errors.js';

/** Customers stand on partitions by their count: with another one, states would be looked for on the wrong partitions. */
export const partitionCountChanged = (topic: string, before: number, now: number | 'more'): TidemarkError =>
  new TidemarkError('PARTITION_COUNT_CHANGED',
    `${topic}: customers are spread over ${before} partitions, the topic now has ${now}: their states would be looked for on the wrong ones. ` +
    'Publish the landed events into topics of the new count (tidemark sql … > events.ndjson, tidemark up --events events.ndjson with another DATA_DIR), ' +
    `or, where the topic was only made anew with the wrong count, delete it and make it with ${before}: docs/error-codes.md#partition_count_changed`,
    { details: { topic, before } });
