import { createHash } from 'node:crypto';
import type { LabelledRows } from '../rows.js';

/**
 * Reads the rows of a training set as ClickHouse sends them in RowBinary: customer_id String, at Int64, on_event UInt8,
 * churned UInt8, then one Float32 a feature. The bytes themselves are what the data hash covers.
 */
export class RowBinaryReader {
  private readonly hash = createHash('sha256');
  private readonly columns: number;
  private rest: Buffer = Buffer.alloc(0);
  private rows = 0;
  private values: Float32Array;
  private labels: Float32Array;
  private at: Float64Array;
  private on_event: Uint8Array;
  private customer: Uint32Array;
  private readonly numbers = new Map<string, number>();

  /** @param lineage text that tells apart sets with equal rows: view, features, horizon */
  constructor(private readonly feature_names: readonly string[], lineage: string, capacity = 8192) {
    this.columns = feature_names.length;
    this.hash.update(lineage).update('\n');
    this.values = new Float32Array(capacity * this.columns);
    this.labels = new Float32Array(capacity);
    this.at = new Float64Array(capacity);
    this.on_event = new Uint8Array(capacity);
    this.customer = new Uint32Array(capacity);
  }

  push(chunk: Buffer): void {
    this.hash.update(chunk);
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    for (let next = this.read(bytes, at); next >= 0; next = this.read(bytes, at)) at = next;
    this.rest = bytes.subarray(at);
  }

  /** @returns the rows, the id of each customer by its number, sha256 of lineage and rows */
  end(): { rows: LabelledRows; customer_ids: string[]; data_hash: string } {
    if (this.rest.length > 0) throw new Error(`training rows: the answer ends ${this.rest.length} bytes into row ${this.rows}`);
    const { rows, columns, feature_names } = this;
    return {
      rows: {
        feature_names, rows, values: this.values.subarray(0, rows * columns), labels: this.labels.subarray(0, rows),
        at: this.at.subarray(0, rows), on_event: this.on_event.subarray(0, rows), customer: this.customer.subarray(0, rows),
      },
      customer_ids: [...this.numbers.keys()],
      data_hash: this.hash.digest('hex'),
    };
  }

  /** @returns the position after the row at `from`, or -1 where it is not whole yet */
  private read(bytes: Buffer, from: number): number {
    let at = from;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length) return -1;
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const idAt = at;
    at += length;
    if (at + 10 + 4 * this.columns > bytes.length) return -1;
    if (this.rows === this.labels.length) this.grow();
    const row = this.rows++;
    const id = bytes.toString('utf8', idAt, at);
    let number = this.numbers.get(id);
    if (number === undefined) this.numbers.set(id, (number = this.numbers.size));
    this.customer[row] = number;
    this.at[row] = Number(bytes.readBigInt64LE(at));
    this.on_event[row] = bytes[at + 8]!;
    this.labels[row] = bytes[at + 9]!;
    at += 10;
    for (let column = 0; column < this.columns; column++, at += 4) this.values[row * this.columns + column] = bytes.readFloatLE(at);
    return at;
  }

  private grow(): void {
    const capacity = this.labels.length * 2;
    const larger = <T extends Float32Array | Float64Array | Uint8Array | Uint32Array>(into: T, from: T): T => (into.set(from), into);
    this.values = larger(new Float32Array(capacity * this.columns), this.values);
    this.labels = larger(new Float32Array(capacity), this.labels);
    this.at = larger(new Float64Array(capacity), this.at);
    this.on_event = larger(new Uint8Array(capacity), this.on_event);
    this.customer = larger(new Uint32Array(capacity), this.customer);
  }
}
