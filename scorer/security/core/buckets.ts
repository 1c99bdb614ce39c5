export interface BucketOptions {
  /** Tokens that come back in a second. */
  readonly ratePerS: number;
  /** Most tokens of a bucket, and what a new one has. */
  readonly burst: number;
  /** Most buckets that are remembered. */
  readonly bucketsMax: number;
}

/**
 * Token buckets by name, at most `bucketsMax`. Beyond it the bucket that was used longest ago is forgotten: full ones lose nothing
 * by it, and `forgotten` counts those that did. Times are ms of a clock that never goes back.
 */
export class Buckets {
  private readonly slots = new Map<string, number>();
  private readonly names: string[] = [];
  private readonly tokens: Float64Array;
  private readonly at: Float64Array;
  /** The buckets in the order of their last use, newest at `head`. */
  private readonly newer: Int32Array;
  private readonly older: Int32Array;
  private head = -1;
  private tail = -1;
  /** Buckets that were forgotten before they were full again. */
  forgotten = 0;
  /** Whole tokens left after the last `take`. */
  remaining = 0;
  /** Ms until the bucket of the last `take` is full, and until it has a token. */
  fullInMs = 0;
  waitMs = 0;

  constructor(private readonly options: BucketOptions) {
    this.tokens = new Float64Array(options.bucketsMax);
    this.at = new Float64Array(options.bucketsMax);
    this.newer = new Int32Array(options.bucketsMax);
    this.older = new Int32Array(options.bucketsMax);
  }

  get size(): number { return this.slots.size; }

  /** Takes a token of a bucket. @returns false where it has none; nothing is taken then */
  take(name: string, nowMs: number): boolean {
    const { ratePerS, burst } = this.options;
    const slot = this.slotOf(name, nowMs);
    const has = Math.min(burst, this.tokens[slot]! + Math.max(0, nowMs - this.at[slot]!) * ratePerS / 1000);
    const taken = has >= 1;
    const left = taken ? has - 1 : has;
    this.tokens[slot] = left;
    this.at[slot] = nowMs;
    this.remaining = Math.floor(left);
    this.fullInMs = (burst - left) * 1000 / ratePerS;
    this.waitMs = taken ? 0 : (1 - has) * 1000 / ratePerS;
    return taken;
  }

  private slotOf(name: string, nowMs: number): number {
    let slot = this.slots.get(name);
    if (slot !== undefined) {
      if (slot !== this.head) {
        this.unlink(slot);
        this.link(slot);
      }
      return slot;
    }
    if (this.slots.size < this.options.bucketsMax) slot = this.slots.size;
    else {
      slot = this.tail;
      const { ratePerS, burst } = this.options;
      if (this.tokens[slot]! + (nowMs - this.at[slot]!) * ratePerS / 1000 < burst) this.forgotten++;
      this.slots.delete(this.names[slot]!);
      this.unlink(slot);
    }
    this.slots.set(name, slot);
    this.names[slot] = name;
    this.tokens[slot] = this.options.burst;
    this.at[slot] = nowMs;
    this.link(slot);
    return slot;
  }

  private link(slot: number): void {
    this.older[slot] = this.head;
    this.newer[slot] = -1;
    if (this.head !== -1) this.newer[this.head] = slot;
    this.head = slot;
    if (this.tail === -1) this.tail = slot;
  }

  private unlink(slot: number): void {
    const newer = this.newer[slot]!;
    const older = this.older[slot]!;
    if (newer === -1) this.head = older;
    else this.older[newer] = older;
    if (older === -1) this.tail = newer;
    else this.newer[older] = newer;
  }
}
