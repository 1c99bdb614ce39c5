/** Up to when this process has what was written to customer-features. Times are epoch milliseconds. */
export interface Freshness {
  /** What is committed now: records up to the last one's time are scored. */
  committed(partition: number, rows: readonly { readonly featuresAt: number }[]): void;
  /** A fetch brought nothing: the partitions without lag have all there is. */
  caughtUp(partitions: readonly { readonly partition: number; readonly lag: number; readonly open: boolean }[], nowMs: number): void;
  /** Undefined where nothing is known of the partition in this process's life. */
  of(partition: number): number | undefined;
  /** Seconds that the partition furthest behind is; undefined where none is known. */
  worst(nowMs: number): number | undefined;
}

export function createFreshness(): Freshness {
  const asOf = new Map<number, number>();
  const raise = (partition: number, to: number): void => { if (to > (asOf.get(partition) ?? -1)) asOf.set(partition, to); };
  return {
    committed(partition, rows) { const last = rows.at(-1); if (last !== undefined) raise(partition, last.featuresAt); },
    caughtUp(partitions, now) { for (const { partition, lag, open } of partitions) if (open && lag === 0) raise(partition, now); },
    of: (partition) => asOf.get(partition),
    worst: (now) => (asOf.size === 0 ? undefined : Math.max(0, Math.floor((now - Math.min(...asOf.values())) / 1000))),
  };
}
