/** A customer's state in memory. */
export interface Entry<State> {
  readonly id: string;
  readonly state: State;
  /** Changed in the running transaction. */
  dirty: boolean;
  /** Writes to the store that have not ended: until then the store's copy is older than this one. */
  pending: number;
}

/**
 * Recently used states, at most `capacity` besides those that the store does not have yet. Two generations: what is not
 * touched while one fills is dropped with the other, at no cost per access.
 */
export class StateCache<State> {
  private young = new Map<string, Entry<State>>();
  private old = new Map<string, Entry<State>>();

  constructor(private readonly capacity: number) {}

  get size(): number { return this.young.size + this.old.size; }

  get(id: string): Entry<State> | undefined {
    const entry = this.young.get(id);
    if (entry !== undefined) return entry;
    const older = this.old.get(id);
    if (older !== undefined) {
      this.old.delete(id);
      this.add(older);
    }
    return older;
  }

  add(entry: Entry<State>): void {
    this.young.set(entry.id, entry);
    if (this.young.size * 2 <= this.capacity) return;
    const dropped = this.old;
    this.old = this.young;
    this.young = new Map();
    for (const kept of dropped.values()) if (kept.dirty || kept.pending > 0) this.young.set(kept.id, kept);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
