/** Confluent wire format: a zero byte, the writer schema's id as 4 bytes big-endian, the Avro binary value. */
export const MAGIC_BYTE = 0;
export const FRAME_BYTES = 5;

/** Puts the header before an encoded value. */
export function frame(schemaId: number, value: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_BYTES + value.length);
  framed[0] = MAGIC_BYTE;
  framed.writeUInt32BE(schemaId, 1);
  framed.set(value, FRAME_BYTES);
  return framed;
}

/** @returns the writer schema's id, or -1 where the header is cut off or does not begin with the magic byte */
export function schemaIdOf(framed: Buffer): number {
  return framed.length < FRAME_BYTES || framed[0] !== MAGIC_BYTE ? -1 : framed.readUInt32BE(1);
}

/** Splits a framed value; undefined where the header is cut off or does not begin with the magic byte. */
export function unframe(framed: Buffer): { schemaId: number; value: Buffer } | undefined {
  const schemaId = schemaIdOf(framed);
  return schemaId === -1 ? undefined : { schemaId, value: framed.subarray(FRAME_BYTES) };
}
