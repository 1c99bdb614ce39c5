/** How a training set is taken in pieces, and how much of it. */
export interface Sampling {
  /** Customers are divided into so many shards by a hash of their id. */
  readonly shards: number;
  /** The first so many of them are taken. */
  readonly shards_taken: number;
  /** Moments of events that are taken, of a million, by a hash of the event id. */
  readonly events_ppm: number;
}

export interface Sizes {
  readonly snapshots: number;
  readonly moments: number;
  /** All events of the history. */
  readonly events: number;
  readonly rows_max: number;
}

/** What one query works on at once: bounds ClickHouse's memory. */
const SHARD = { rows: 50_000, events: 1_000_000 };

/**
 * Takes moments of events to at most as many as snapshots, and whole customers up to the most rows allowed. It follows from
 * the sizes alone, so that the same history gives the same set.
 */
export function chooseSampling({ snapshots, moments, events, rows_max }: Sizes): Sampling {
  const events_ppm = moments === 0 ? 0 : Math.min(1_000_000, Math.ceil((snapshots / moments) * 1_000_000));
  const rows = snapshots + (moments * events_ppm) / 1_000_000;
  const shard_rows = Math.min(SHARD.rows, rows_max / 16);
  const shards = Math.max(1, Math.ceil(rows / shard_rows), Math.ceil(events / SHARD.events));
  return { shards, shards_taken: rows <= rows_max ? shards : Math.max(1, Math.floor((shards * rows_max) / rows)), events_ppm };
}
