import type { KafkaRecord } from '../records.js';

/** One record of a fetched batch; key, value and headers are cut out of the batch's bytes when asked for. */
export class FetchedRecord implements KafkaRecord {
  constructor(
    readonly offset: number,
    readonly timestamp: number,
    readonly bytes: Buffer,
    readonly keyStart: number,
    readonly keyEnd: number,
    readonly valueStart: number,
    readonly valueEnd: number,
    private readonly headersStart: number,
  ) {}

  /** An end below its start says null. */
  get key(): Buffer | null {
    return this.keyEnd < this.keyStart ? null : this.bytes.subarray(this.keyStart, this.keyEnd);
  }
  get value(): Buffer | null {
    return this.valueEnd < this.valueStart ? null : this.bytes.subarray(this.valueStart, this.valueEnd);
  }
  get headers(): Readonly<Record<string, Buffer>> {
    return readHeaders(this.bytes, this.headersStart);
  }
}

/** What a batch says of all its records. */
export interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly attributes: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly count: number;
}

export const isControl = (header: BatchHeader): boolean => (header.attributes & 0x20) !== 0;
export const isTransactional = (header: BatchHeader): boolean => (header.attributes & 0x10) !== 0;
export const codecOf = (header: BatchHeader): number => header.attributes & 0x07;

export const BATCH_HEADER_BYTES = 61;

/** Reads the header that starts at `at`; the caller has seen that it is whole. */
export function readBatchHeader(bytes: Buffer, at: number): BatchHeader {
  const baseOffset = Number(bytes.readBigInt64BE(at));
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(at + 23),
    attributes: bytes.readInt16BE(at + 21),
    firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
    maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
    producerId: bytes.readBigInt64BE(at + 43),
    count: bytes.readInt32BE(at + 57),
  };
}

let cursor = 0;

/** Zigzag varint at the cursor; values of more than 31 bits (time deltas) are exact up to 2^53. */
function varint(bytes: Buffer): number {
  let byte = bytes[cursor++]!;
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let value = byte & 0x7f;
  let shift = 7;
  do {
    byte = bytes[cursor++]!;
    if (shift < 28) value |= (byte & 0x7f) << shift;
    else value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
  } while (byte >= 0x80);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Appends the records of one batch, whose uncompressed records start at `at`, from offset `fromOffset` on. */
export function readRecords(header: BatchHeader, bytes: Buffer, at: number, fromOffset: number, into: FetchedRecord[]): void {
  const logAppendTime = (header.attributes & 0x08) !== 0;
  const { baseOffset, firstTimestamp, maxTimestamp, count } = header;
  cursor = at;
  for (let i = 0; i < count; i++) {
    const length = varint(bytes);
    const end = cursor + length;
    cursor++; // attributes
    const timestampDelta = varint(bytes);
    const offset = baseOffset + varint(bytes);
    const keyLength = varint(bytes);
    const keyStart = cursor;
    if (keyLength > 0) cursor += keyLength;
    const valueLength = varint(bytes);
    const valueStart = cursor;
    if (valueLength > 0) cursor += valueLength;
    if (offset >= fromOffset)
      into.push(new FetchedRecord(offset, logAppendTime ? maxTimestamp : firstTimestamp + timestampDelta, bytes,
        keyStart, keyStart + keyLength, valueStart, valueStart + valueLength, cursor));
    cursor = end;
  }
}

function readHeaders(bytes: Buffer, at: number): Record<string, Buffer> {
  const headers = Object.create(null) as Record<string, Buffer>;
  cursor = at;
  for (let left = varint(bytes); left > 0; left--) {
    const nameLength = varint(bytes);
    const name = bytes.toString('utf8', cursor, cursor + nameLength);
    cursor += nameLength;
    const valueLength = varint(bytes);
    headers[name] = valueLength < 0 ? Buffer.alloc(0) : bytes.subarray(cursor, cursor + valueLength);
    if (valueLength > 0) cursor += valueLength;
  }
  return headers;
}
