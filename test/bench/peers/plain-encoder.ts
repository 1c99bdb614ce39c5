import type { FeatureView } from '../../../schemas/features/declaration.js';
import type { FeatureEncoder } from '../../../schemas/features/encode.js';

/** Writes the peers' record: customer_id, event_time, event_id and the doubles, in the same framing as our own. */
export function plainFeatureEncoder(view: FeatureView, schemaId: number): FeatureEncoder {
  const width = view.features.length;
  const bytesMax: FeatureEncoder['bytesMax'] = ({ customerId, eventId }) => 5 + 30 + 3 * (customerId.length + eventId.length) + width * 8;
  return {
    createHeader: () => ({ customerId: '', eventId: '', eventTimeMs: 0, trigger: 0, producedMs: 0, committedMs: 0, channel: '' }),
    bytesMax,
    encode(header, vector, vectorAt, buffer, at) {
      buffer[at] = 0;
      at = buffer.writeUInt32BE(schemaId, at + 1);
      at = writeText(buffer, at, String(header.customerId));
      at = writeLong(buffer, at, header.eventTimeMs);
      at = writeText(buffer, at, String(header.eventId));
      for (let i = 0; i < width; i++) at = buffer.writeDoubleLE(vector[vectorAt + i]!, at);
      return at;
    },
  };
}

function writeText(buffer: Buffer, at: number, text: string): number {
  const bytes = Buffer.byteLength(text);
  at = writeLong(buffer, at, bytes);
  return at + buffer.write(text, at);
}

function writeLong(buffer: Buffer, at: number, value: number): number {
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; zigzag >= 0x80; zigzag = Math.floor(zigzag / 0x80)) buffer[at++] = (zigzag % 0x80) | 0x80;
  buffer[at++] = zigzag;
  return at;
}
