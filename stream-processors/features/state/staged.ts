/**
 * Encoded states of one transaction in one growing block. The store writes from these bytes after the commit, on its own
 * thread: a block is used again only when that write has ended.
 */
export class StagedStates {
  readonly ids: string[] = [];
  bytes = Buffer.allocUnsafeSlow(262_144);
  /** Where the state that was added last begins and ends. */
  lastStart = 0;
  end = 0;
  private readonly ends: number[] = [];

  get count(): number { return this.ids.length; }

  /** Adds one state, which takes at most `bytesMax` bytes. */
  add<State>(id: string, bytesMax: number, state: State, encoder: { encode(state: State, into: Buffer, at: number): number }): void {
    if (this.end + bytesMax > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.end + bytesMax));
      this.bytes.copy(larger, 0, 0, this.end);
      this.bytes = larger;
    }
    this.lastStart = this.end;
    this.end = encoder.encode(state, this.bytes, this.end);
    this.ids.push(id);
    this.ends.push(this.end);
  }

  at(i: number): Buffer {
    return this.bytes.subarray(i === 0 ? 0 : this.ends[i - 1]!, this.ends[i]!);
  }

  clear(): void {
    this.ids.length = 0;
    this.ends.length = 0;
    this.end = 0;
  }
}
