/** Compact numbers of the encoded state. Writers return where they end; readers leave that in `cursor.at`. */
export const cursor = { at: 0 };

/** The most bytes that a whole number below 2^53, and that any number, may take. */
export const WHOLE_BYTES_MAX = 8;
export const NUMBER_BYTES_MAX = 9;

/** A whole number from 0 to 2^53-1, seven bits a byte, lowest first. */
export function writeWhole(bytes: Uint8Array, at: number, value: number): number {
  while (value >= 0x80000000) {
    bytes[at++] = (value % 128) | 0x80;
    value = Math.floor(value / 128);
  }
  // From here on bit operations hold it.
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}

export function readWhole(bytes: Uint8Array): number {
  let byte = bytes[cursor.at++]!;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let scale = 128;
  do {
    byte = bytes[cursor.at++]!;
    value += (byte & 0x7f) * scale;
    scale *= 128;
  } while (byte >= 0x80);
  return value;
}

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
const CENTS_MAX = 0x3fffffff;

/**
 * Any double. Money and whole numbers are mostly a whole number of hundredths: those are written as such (one more than
 * their zigzag value); all others, NaN included, as a 0 and the eight bytes.
 */
export function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  const cents = Math.round(value * 100);
  if (cents / 100 === value && cents <= CENTS_MAX && cents >= -CENTS_MAX) return writeWhole(bytes, at, (cents >= 0 ? cents * 2 : cents * -2 - 1) + 1);
  bytes[at++] = 0;
  double[0] = value;
  for (let i = 0; i < 8; i++) bytes[at++] = doubleBytes[i]!;
  return at;
}

export function readNumber(bytes: Uint8Array): number {
  const whole = readWhole(bytes);
  if (whole > 0) {
    const zigzag = whole - 1;
    return (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2) / 100;
  }
  for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[cursor.at++]!;
  return double[0]!;
}

/** A 53-bit hash as seven bytes. */
export const HASH_BYTES = 7;
export function writeHash(bytes: Uint8Array, at: number, hash: number): number {
  const low = hash >>> 0;
  const high = (hash - low) / 4_294_967_296;
  bytes[at] = low;
  bytes[at + 1] = low >>> 8;
  bytes[at + 2] = low >>> 16;
  bytes[at + 3] = low >>> 24;
  bytes[at + 4] = high;
  bytes[at + 5] = high >>> 8;
  bytes[at + 6] = high >>> 16;
  return at + HASH_BYTES;
}

export function readHash(bytes: Uint8Array): number {
  const at = cursor.at;
  cursor.at = at + HASH_BYTES;
  const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  return (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16)) * 4_294_967_296 + low;
}
