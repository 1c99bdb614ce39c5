/** What a bucket of customers would add to a training set; buckets follow from the first bits of a hash of the customer id. */
export interface Bucket {
  readonly bucket: number;
  readonly snapshots: number;
  readonly moments: number;
  readonly events: number;
}
export const BUCKETS = 1024;

/** How a training set is taken in pieces, and how much of it. */
export interface Sampling {
  /** The customers of buckets below this one are taken: all of them at BUCKETS. */
  readonly buckets: number;
  /** The moments of events that are taken, of a million, by a hash of the event id. */
  readonly events_ppm: number;
  /** Queries that the rows are read in, each over its own customers. */
  readonly shards: number;
}

/** What one query works on at once: bounds ClickHouse's memory. */
const SHARD = { rows: 50_000, events: 1_000_000 };

/**
 * Takes moments of events to at most as many as snapshots, and whole customers up to the most rows allowed (the first
 * bucket always). It follows from the sizes alone, so that the same history gives the same set.
 */
export function chooseSampling(sizes: readonly Bucket[], rows_max: number): Sampling {
  const total = (part: 'snapshots' | 'moments'): number => sizes.reduce((sum, size) => sum + size[part], 0);
  const moments = total('moments');
  const events_ppm = moments === 0 ? 0 : Math.min(1_000_000, Math.ceil((total('snapshots') / moments) * 1_000_000));
  let rows = 0;
  let events = 0;
  for (const size of sizes) {
    const more = size.snapshots + (size.moments * events_ppm) / 1_000_000;
    if (rows > 0 && rows + more > rows_max) return { buckets: size.bucket, events_ppm, shards: shardsFor(rows, events) };
    rows += more;
    events += size.events;
  }
  return { buckets: BUCKETS, events_ppm, shards: shardsFor(rows, events) };
}

const shardsFor = (rows: number, events: number): number => Math.max(1, Math.ceil(rows / SHARD.rows), Math.ceil(events / SHARD.events));
