/**
 * Rows in ClickHouse's RowBinary: values one after the other, nothing between them. One growing buffer a block.
 * Format: https://clickhouse.com/docs/interfaces/formats/RowBinary
 */
export class RowWriter {
  bytes: Buffer;
  at = 0;

  constructor(initialBytes = 256 * 1024) {
    this.bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** Makes room; every other method expects that it was made. */
  reserve(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }

  uint8(value: number): void { this.bytes[this.at++] = value; }
  uint16(value: number): void { this.at = this.bytes.writeUInt16LE(value, this.at); }
  int32(value: number): void { this.at = this.bytes.writeInt32LE(value, this.at); }
  uint32(value: number): void { this.at = this.bytes.writeUInt32LE(value, this.at); }
  float64(value: number): void { this.at = this.bytes.writeDoubleLE(value, this.at); }

  /** A whole number within ±2^53 as Int64 or UInt64: offsets, epoch milliseconds. */
  int64(value: number): void {
    const high = Math.floor(value / 4_294_967_296);
    this.at = this.bytes.writeUInt32LE((value - high * 4_294_967_296) >>> 0, this.at);
    this.at = this.bytes.writeInt32LE(high, this.at);
  }

  /** Unsigned LEB128: lengths and counts. */
  varint(value: number): void {
    const { bytes } = this;
    while (value >= 0x80) {
      bytes[this.at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    bytes[this.at++] = value;
  }

  /** Text of any length; makes its own room. */
  string(text: string): void {
    this.reserve(text.length * 3 + 5);
    if (text.length * 3 < 0x80) {
      const length = this.bytes.write(text, this.at + 1, 'utf8');
      this.bytes[this.at] = length;
      this.at += length + 1;
      return;
    }
    this.varint(Buffer.byteLength(text, 'utf8'));
    this.at += this.bytes.write(text, this.at, 'utf8');
  }

  /** Bytes that are text already; makes its own room. */
  slice(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.reserve(length + 5);
    this.varint(length);
    if (length > 64) {
      source.copy(this.bytes, this.at, start, end);
      this.at += length;
      return;
    }
    const { bytes } = this;
    let at = this.at;
    for (let i = start; i < end; i++) bytes[at++] = source[i]!;
    this.at = at;
  }
}
