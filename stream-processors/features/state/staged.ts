/**
 * Encoded states of one transaction in one growing block. The store writes from these bytes after the commit, on its own
 * thread: a block is used again only when that write has ended.
 */
export class StagedStates {
  readonly ids: string[] = [];
  private bytes = Buffer.allocUnsafeSlow(262_144);
  private used = 0;
  private readonly ends: number[] = [];

  get count(): number { return this.ids.length; }

  /** Adds one state; `encode` writes it at a place and returns its end. Room for `bytesMax` is made first. */
  add(id: string, bytesMax: number, encode: (into: Buffer, at: number) => number): Buffer {
    if (this.used + bytesMax > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.used + bytesMax));
      this.bytes.copy(larger, 0, 0, this.used);
      this.bytes = larger;
    }
    const start = this.used;
    this.used = encode(this.bytes, start);
    this.ids.push(id);
    this.ends.push(this.used);
    return this.bytes.subarray(start, this.used);
  }

  at(i: number): Buffer {
    return this.bytes.subarray(i === 0 ? 0 : this.ends[i - 1]!, this.ends[i]!);
  }

  clear(): void {
    this.ids.length = 0;
    this.ends.length = 0;
    this.used = 0;
  }
}
