import { compressFrame, decompressFrame } from 'lz4-napi';
import { corrupt, tooLarge, UNPACKED_BYTES_MAX, type BatchCodec } from './codec.js';

const MAGIC = 0x184d2204;
/** LZ4 spends a byte on at most 255. */
const RATIO_MAX = 255;

/** LZ4 frames, as all clients write them since Kafka's message format 2. */
export const lz4Codec: BatchCodec = {
  compress: ({ buffer }) => compressFrame(buffer),
  async decompress(bytes) {
    const most = unpackedMost(bytes);
    if (most > UNPACKED_BYTES_MAX) throw tooLarge('lz4', bytes.length, most);
    try {
      return await decompressFrame(bytes);
    } catch (error) {
      throw corrupt('lz4', bytes.length, error);
    }
  },
};

/** What the frame's blocks can unpack to at most; its own content size is optional and a claim. */
function unpackedMost(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw corrupt('lz4', bytes.length, 'it does not begin with an LZ4 frame');
  const flags = bytes[4]!;
  const blockMost = 2 ** (8 + 2 * ((bytes[5]! >> 4) & 7));
  const blockChecksum = (flags & 0x10) === 0 ? 0 : 4;
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  let most = 0;
  while (at + 4 <= bytes.length) {
    const word = bytes.readUInt32LE(at);
    if (word === 0) return most;
    const length = word & 0x7fff_ffff;
    most += word > 0x7fff_ffff ? length : Math.min(blockMost, length * RATIO_MAX);
    at += 4 + length + blockChecksum;
  }
  return most;
}
