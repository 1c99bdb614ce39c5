/** Compact numbers of the encoded state. Writers return where they end; readers begin at `cursor.at` and leave it where they end. */
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
  let at = cursor.at;
  let byte = bytes[at++]!;
  let value = byte & 0x7f;
  // Four bytes by bit operations, which is nearly always enough.
  for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
    byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
  }
  for (let scale = 2 ** 28; byte >= 0x80; scale *= 128) {
    byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
  }
  cursor.at = at;
  return value;
}

/** Doubles are stored as the machine has them; every platform that Tidemark's binaries exist for is little-endian. */
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
/** Up to here hundredths and their zigzag value are 32-bit whole numbers. */
const CENTS_VALUE_MAX = 1e7;

/**
 * Any double. Money and whole numbers are mostly a whole number of hundredths: those are written as such (one more than
 * their zigzag value); all others, NaN included, as a 0 and the eight bytes.
 */
export function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if (value < CENTS_VALUE_MAX && value > -CENTS_VALUE_MAX) {
    const cents = (value * 100 + (value < 0 ? -0.5 : 0.5)) | 0;
    if (cents / 100 === value) {
      let whole = ((cents << 1) ^ (cents >> 31)) + 1;
      while (whole >= 0x80) {
        bytes[at++] = (whole & 0x7f) | 0x80;
        whole >>>= 7;
      }
      bytes[at++] = whole;
      return at;
    }
  }
  bytes[at++] = 0;
  double[0] = value;
  for (let i = 0; i < 8; i++) bytes[at++] = doubleBytes[i]!;
  return at;
}

export function readNumber(bytes: Uint8Array): number {
  // Below 2^31: bit operations hold it.
  const whole = readWhole(bytes);
  if (whole > 0) {
    const zigzag = whole - 1;
    return ((zigzag >>> 1) ^ -(zigzag & 1)) / 100;
  }
  const at = cursor.at;
  for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[at + i]!;
  cursor.at = at + 8;
  return double[0]!;
}
