import { BATCH_HEADER_BYTES } from './record-batch.js';

/**
 * Records of one partition, encoded as they are appended in Kafka's record format v2 behind room for
 * the batch header.
 * kafkajs takes it where it expects an array of messages: its own encoder costs about 9 µs a record and groups
 * messages by copying arrays, which is quadratic in the batch.
 * Format: https://kafka.apache.org/documentation/#record
 */
export class EncodedRecords {
  /** Records so far; kafkajs advances the producer's sequence by it. */
  length = 0;
  private end = BATCH_HEADER_BYTES;
  private buffer: Buffer;
  private readonly initialBytes: number;

  constructor(readonly partition: number, initialBytes = 65_536) {
    this.initialBytes = initialBytes;
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  get bytes(): number { return this.end - BATCH_HEADER_BYTES; }

  /** Appends one record; key, value and headers are copied. Its time is that of the send. */
  append(key: Buffer | null, value: Buffer | null, headers: Readonly<Record<string, Buffer | string>> | undefined): void {
    const keyBytes = key === null ? 0 : key.length;
    const valueBytes = value === null ? 0 : value.length;
    const headerBytes = headers === undefined ? 1 : sizeOfHeaders(headers);
    const body =
      2 + sizeOfVarint(this.length) +
      sizeOfVarint(key === null ? -1 : keyBytes) + keyBytes +
      sizeOfVarint(value === null ? -1 : valueBytes) + valueBytes +
      headerBytes;
    const start = this.reserve(body + 5);
    const out = this.buffer;
    let at = writeVarint(out, start, body);
    out[at++] = 0; // attributes
    out[at++] = 0; // timestamp delta
    at = writeVarint(out, at, this.length);
    at = writeBytes(out, at, key, keyBytes);
    at = writeBytes(out, at, value, valueBytes);
    if (headers === undefined) out[at++] = 0;
    else at = writeHeaders(out, at, headers);
    this.end = at;
    this.length++;
  }

  /** The same without headers, for the hot path: the key as text, the value as a piece of a larger buffer. */
  appendText(key: string, bytes: Buffer, from: number, to: number): void {
    const valueBytes = to - from;
    // Room for the worst case; the sizes that depend on the key's bytes are written once they are known.
    const start = this.reserve(32 + 3 * key.length + valueBytes);
    const out = this.buffer;
    const keyBytes = utf8Length(key);
    let at = writeVarint(out, start, 3 + sizeOfVarint(this.length) + sizeOfVarint(keyBytes) + keyBytes + sizeOfVarint(valueBytes) + valueBytes);
    out[at++] = 0; // attributes
    out[at++] = 0; // timestamp delta
    at = writeVarint(out, at, this.length);
    at = writeVarint(out, at, keyBytes);
    if (keyBytes === key.length) for (let i = 0; i < keyBytes; i++) out[at++] = key.charCodeAt(i);
    else at += out.write(key, at, 'utf8');
    at = writeVarint(out, at, valueBytes);
    bytes.copy(out, at, from, to);
    at += valueBytes;
    out[at++] = 0; // no headers
    this.end = at;
    this.length++;
  }

  /** The encoded records; valid until the next append or clear. */
  encoded(): Buffer {
    return this.buffer.subarray(BATCH_HEADER_BYTES, this.end);
  }

  /** The records behind room for their batch header; valid until the next append or clear. */
  batch(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  /** Empties it for the next batch. What `encoded` returned must not be in use any more. */
  clear(): void {
    this.length = 0;
    this.end = BATCH_HEADER_BYTES;
    if (this.buffer.length > 16 * this.initialBytes) this.buffer = Buffer.allocUnsafe(this.initialBytes);
  }

  /** kafkajs looks for messages without a value before it sends. There are none. */
  find(): undefined {
    return undefined;
  }

  private reserve(bytes: number): number {
    const needed = this.end + bytes;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.end);
      this.buffer = larger;
    }
    return this.end;
  }
}

/** Ids are nearly always ASCII, where the length needs no call. */
function utf8Length(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, 'utf8');
  return text.length;
}

/** Bytes of a zigzag varint; counts and lengths stay within 31 bits. */
export function sizeOfVarint(value: number): number {
  const z = (value << 1) ^ (value >> 31);
  return (z >>> 0) < 0x80 ? 1 : (z >>> 0) < 0x4000 ? 2 : (z >>> 0) < 0x200000 ? 3 : (z >>> 0) < 0x10000000 ? 4 : 5;
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let z = ((value << 1) ^ (value >> 31)) >>> 0;
  while (z >= 0x80) {
    out[at++] = (z & 0x7f) | 0x80;
    z >>>= 7;
  }
  out[at++] = z;
  return at;
}

function writeBytes(out: Buffer, at: number, bytes: Buffer | null, length: number): number {
  if (bytes === null) return writeVarint(out, at, -1);
  at = writeVarint(out, at, length);
  bytes.copy(out, at);
  return at + length;
}

function sizeOfHeaders(headers: Readonly<Record<string, Buffer | string>>): number {
  let count = 0;
  let bytes = 0;
  for (const name in headers) {
    const nameBytes = Buffer.byteLength(name);
    const valueBytes = Buffer.byteLength(headers[name]!);
    bytes += sizeOfVarint(nameBytes) + nameBytes + sizeOfVarint(valueBytes) + valueBytes;
    count++;
  }
  return sizeOfVarint(count) + bytes;
}

function writeHeaders(out: Buffer, at: number, headers: Readonly<Record<string, Buffer | string>>): number {
  at = writeVarint(out, at, Object.keys(headers).length);
  for (const name in headers) {
    const value = headers[name]!;
    at = writeVarint(out, at, Buffer.byteLength(name));
    at += out.write(name, at, 'utf8');
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    at = writeBytes(out, at, bytes, bytes.length);
  }
  return at;
}
