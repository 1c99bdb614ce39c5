/**
 * What a subscriber that reads too slowly still gets: the latest message of each customer, oldest first, at most
 * `entriesMax` of them, and how many messages were left out.
 */
export interface Conflation {
  add(customerId: string, message: string): void;
  /** Takes the oldest message; undefined when there is none. */
  next(): string | undefined;
  /** Messages left out since it was last asked. */
  takeDropped(): number;
  readonly size: number;
}

export function createConflation(entriesMax: number): Conflation {
  const latest = new Map<string, string>();
  let dropped = 0;
  return {
    add(customerId, message) {
      if (latest.delete(customerId)) dropped++;
      else if (latest.size >= entriesMax) {
        latest.delete(latest.keys().next().value as string);
        dropped++;
      }
      latest.set(customerId, message);
    },
    next() {
      const [entry] = latest;
      if (entry === undefined) return undefined;
      latest.delete(entry[0]);
      return entry[1];
    },
    takeDropped() {
      const count = dropped;
      dropped = 0;
      return count;
    },
    get size() { return latest.size; },
  };
}
