import type { RowWriter } from './row-writer.js';

/** A field that has the same order and meaning in an Avro record and in a RowBinary row. */
export type FieldKind = 'string' | 'long_as_int64' | 'double' | 'int_as_uint16' | 'enum_as_int8' | 'boolean';

/**
 * Rewrites one Avro record as one RowBinary row without making objects of it. The bytes must have been walked or written by
 * the schema of these kinds.
 * @param at where the record begins
 * @returns where it ended
 */
export function transcode(source: Buffer, at: number, kinds: readonly FieldKind[], out: RowWriter): number {
  for (const kind of kinds) {
    switch (kind) {
      case 'string': {
        at = readLong(source, at);
        out.slice(source, at, at + value);
        at += value;
        break;
      }
      case 'double':
        out.reserve(8);
        for (let i = 0; i < 8; i++) out.bytes[out.at + i] = source[at + i]!;
        out.at += 8;
        at += 8;
        break;
      case 'long_as_int64':
        at = readLong(source, at);
        out.reserve(8);
        out.int64(value);
        break;
      case 'int_as_uint16':
        at = readLong(source, at);
        out.reserve(2);
        out.uint16(value);
        break;
      case 'enum_as_int8':
        at = readLong(source, at);
        out.reserve(1);
        out.uint8(value);
        break;
      case 'boolean':
        out.reserve(1);
        out.uint8(source[at++]!);
        break;
    }
  }
  return at;
}

/** A module variable spares an allocation a field. */
let value = 0;

/** Avro's zigzag varint, exact within ±2^53, into `value`. @returns its end */
function readLong(source: Buffer, at: number): number {
  let sum = 0;
  let factor = 1;
  for (;;) {
    const byte = source[at++]!;
    sum += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
    factor *= 128;
  }
  value = sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2;
  return at;
}
