import type { FeatureView } from './declaration.js';

/** What a record of customer-features says beside the values. Ids may be given as their UTF-8 bytes. Times are epoch milliseconds. */
export interface FeatureHeader {
  customerId: string | Uint8Array;
  eventId: string | Uint8Array;
  eventTimeMs: number;
  /** Place in TRIGGERS: 0 event, 1 sweep. */
  trigger: 0 | 1;
  /** When the event was appended to customer-events. */
  producedMs: number;
  /** When this record is written. */
  committedMs: number;
  /** Of the triggering event; empty in a sweep. */
  channel: string | Uint8Array;
}

export interface FeatureEncoder {
  createHeader(): FeatureHeader;
  /** The most bytes that a record with these ids takes. */
  bytesMax(header: FeatureHeader): number;
  /**
   * Writes one framed record: magic byte, schema id, Avro body of `featuresAvro(view)`, with the vector's values from `vectorAt`.
   * @returns where it ends
   * @throws RangeError when the buffer may be too short
   */
  encode(header: FeatureHeader, vector: Float64Array, vectorAt: number, buffer: Buffer, at: number): number;
}

const FRAME_BYTES = 5;
const VARINT_BYTES_MAX = 10;
/** Three times, three string lengths, trigger and view version. */
const VARINTS = 8;

/**
 * Compiles the writer of a view's records: the bytes are those that an Avro library writes for the same record, without
 * its objects on the way.
 * @param schemaId the registry's id of `featuresAvro(view)`
 */
export function compileFeatureEncoder(view: FeatureView, schemaId: number): FeatureEncoder {
  const features = view.features.length;
  const valueBytes = features * 8;
  // The trigger and the version after it are the same few bytes each time.
  const versions = [0, 1].map((trigger) => {
    const bytes = Buffer.alloc(2 * VARINT_BYTES_MAX);
    return bytes.subarray(0, writeLong(bytes, writeLong(bytes, 0, trigger), view.version));
  });
  const doubles = new Float64Array(features);
  const bytesOfDoubles = new Uint8Array(doubles.buffer);

  const bytesMax = (header: FeatureHeader): number =>
    FRAME_BYTES + VARINTS * VARINT_BYTES_MAX + 3 * (header.customerId.length + header.eventId.length + header.channel.length) + valueBytes;

  return {
    createHeader: () => ({ customerId: '', eventId: '', eventTimeMs: 0, trigger: 0, producedMs: 0, committedMs: 0, channel: '' }),
    bytesMax,
    encode(header, vector, vectorAt, buffer, at) {
      if (at + bytesMax(header) > buffer.length)
        throw new RangeError(`feature record: up to ${bytesMax(header)} bytes to write at ${at} of a buffer of ${buffer.length}; give it bytesMax(header) of room`);
      buffer[at] = 0;
      buffer[at + 1] = schemaId >>> 24;
      buffer[at + 2] = schemaId >>> 16;
      buffer[at + 3] = schemaId >>> 8;
      buffer[at + 4] = schemaId;
      at = writeText(buffer, at + FRAME_BYTES, header.customerId);
      at = writeText(buffer, at, header.eventId);
      at = writeLong(buffer, at, header.eventTimeMs);
      const version = versions[header.trigger]!;
      for (let i = 0; i < version.length; i++) buffer[at++] = version[i]!;
      at = writeLong(buffer, at, header.producedMs);
      at = writeLong(buffer, at, header.committedMs);
      at = writeText(buffer, at, header.channel);
      for (let i = 0; i < features; i++) doubles[i] = vector[vectorAt + i]!;
      if (LITTLE_ENDIAN) buffer.set(bytesOfDoubles, at);
      else for (let i = 0; i < features; i++) buffer.writeDoubleLE(doubles[i]!, at + i * 8);
      return at + valueBytes;
    },
  };
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Avro's long: zigzag, seven bits a byte, lowest first. For whole numbers within ±2^52. */
function writeLong(buffer: Uint8Array, at: number, value: number): number {
  let zigzag = value >= 0 ? value * 2 : value * -2 - 1;
  while (zigzag >= 0x80000000) {
    buffer[at++] = (zigzag % 128) | 0x80;
    zigzag = Math.floor(zigzag / 128);
  }
  while (zigzag >= 0x80) {
    buffer[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  buffer[at++] = zigzag;
  return at;
}

/** Avro's string: length in bytes, then the bytes. Most ids are short and ASCII, which a loop writes faster than a call does. */
function writeText(buffer: Buffer, at: number, text: string | Uint8Array): number {
  if (typeof text !== 'string') {
    at = writeLong(buffer, at, text.length);
    buffer.set(text, at);
    return at + text.length;
  }
  const length = text.length;
  const start = writeLong(buffer, at, length);
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7f) return writeUtf8(buffer, at, text);
    buffer[start + i] = c;
  }
  return start + length;
}

function writeUtf8(buffer: Buffer, at: number, text: string): number {
  const start = writeLong(buffer, at, Buffer.byteLength(text, 'utf8'));
  return start + buffer.write(text, start, 'utf8');
}
