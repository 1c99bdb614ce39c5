import { RowWriter } from './row-writer.js';

/** Where a row came from: no two rows of a table share all three, whatever happens to the topic. */
export interface RowIdentity {
  readonly offset: number;
  /** The record's own time, epoch milliseconds. */
  readonly time_ms: number;
}

/**
 * Rows of one partition from the visible records with offsets in [from, to): what is inserted at once. Its boundaries are
 * written down before it is inserted, so that whoever inserts it again makes the same block with the same token.
 */
export class Block {
  readonly rows = new RowWriter();
  private readonly offsets: number[] = [];
  private readonly times: number[] = [];
  private readonly ends: number[] = [];
  /** Times of the first and the last record, whether they made a row or not; -1 where there was none. */
  private firstTime = -1;
  private lastTime = -1;
  to: number;

  constructor(readonly from: number, readonly openedAtMs: number) {
    this.to = from;
  }

  get count(): number { return this.offsets.length; }
  get bytes(): number { return this.rows.at; }
  get empty(): boolean { return this.offsets.length === 0; }

  /** A record was looked at; when it made a row, that row's bytes are written. */
  seen(offset: number, timeMs: number, madeRow: boolean): void {
    if (this.firstTime < 0) this.firstTime = timeMs;
    this.lastTime = timeMs;
    this.to = offset + 1;
    if (!madeRow) return;
    this.offsets.push(offset);
    this.times.push(timeMs);
    this.ends.push(this.rows.at);
  }

  /** The same for whoever makes this block; another for a topic that was made anew, because its records have other times. */
  token(topic: string, partition: number): string {
    return `${topic}-${partition}-${this.from}-${this.to}-${this.firstTime}-${this.lastTime}`;
  }

  /** All rows; not one that is still being written behind them. */
  get body(): Buffer { return this.rows.bytes.subarray(0, this.ends.at(-1) ?? 0); }

  /** The rows that are not among those, and their number. */
  without(present: ReadonlySet<string>): { body: Buffer; count: number } {
    const pieces: Buffer[] = [];
    for (let i = 0; i < this.offsets.length; i++)
      if (!present.has(identityOf(this.offsets[i]!, this.times[i]!))) pieces.push(this.rows.bytes.subarray(i === 0 ? 0 : this.ends[i - 1], this.ends[i]));
    return { body: Buffer.concat(pieces), count: pieces.length };
  }
}

export const identityOf = (offset: number, timeMs: number): string => `${offset}/${timeMs}`;
