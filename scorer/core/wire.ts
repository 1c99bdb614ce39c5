/** Avro's zigzag variable-length integers for whole numbers within ±2^52, and the reading position they leave. */

/** Position after the varint at `at`; -1 where the bytes end before it does or it is longer than 10 bytes. */
export function skipVarint(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end && i < at + 10; i++) if ((bytes[i] as number) < 0x80) return i + 1;
  return -1;
}

/** The number of the whole varint at `at`. */
export function readVarint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at] as number;
  let value = byte & 0x7f;
  for (let scale = 128; byte >= 0x80; scale *= 128) {
    byte = bytes[++at] as number;
    value += (byte & 0x7f) * scale;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Writes a varint and returns the position after it; at most 8 bytes within ±2^52. */
export function writeVarint(value: number, bytes: Uint8Array, at: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest >= 128) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}
