/** What all queues of a process may hold together, and how many messages they left out so far. */
export interface WaitingBudget {
  bytes: number;
  dropped: number;
  readonly bytesMax: number;
}

/**
 * What a subscriber that reads too slowly still gets: the latest message of each customer, oldest first, within a bound of
 * bytes, and how many messages were left out. Over the bound the oldest messages go.
 */
export interface Conflation<T> {
  /** @param bytes what the message takes when it is sent */
  add(customerId: string, message: T, bytes: number): void;
  has(customerId: string): boolean;
  /** Takes the oldest message; undefined when there is none. */
  next(): T | undefined;
  /** Leaves out everything that waits. */
  clear(): void;
  /** Messages left out since it was last asked. */
  takeDropped(): number;
  readonly size: number;
  readonly bytes: number;
}

interface Entry<T> { readonly message: T; readonly bytes: number }

export function createConflation<T>(bytesMax: number, budget: WaitingBudget): Conflation<T> {
  const latest = new Map<string, Entry<T>>();
  let dropped = 0;
  let held = 0;

  function remove(customerId: string, entry: Entry<T>): void {
    latest.delete(customerId);
    held -= entry.bytes;
    budget.bytes -= entry.bytes;
  }
  function drop(customerId: string, entry: Entry<T>): void {
    remove(customerId, entry);
    dropped++;
    budget.dropped++;
  }

  return {
    add(customerId, message, bytes) {
      const former = latest.get(customerId);
      if (former !== undefined) drop(customerId, former);
      latest.set(customerId, { message, bytes });
      held += bytes;
      budget.bytes += bytes;
      for (const [oldest, entry] of latest) {
        if (held <= bytesMax && budget.bytes <= budget.bytesMax) break;
        drop(oldest, entry);
      }
    },
    has: (customerId) => latest.has(customerId),
    next() {
      const [entry] = latest;
      if (entry === undefined) return undefined;
      remove(...entry);
      return entry[1].message;
    },
    clear() {
      for (const [customerId, entry] of latest) drop(customerId, entry);
    },
    takeDropped() {
      const count = dropped;
      dropped = 0;
      return count;
    },
    get size() { return latest.size; },
    get bytes() { return held; },
  };
}
