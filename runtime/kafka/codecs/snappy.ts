import { compressSync, uncompress, uncompressSync } from 'snappy';
import { corrupt, tooLarge, UNPACKED_BYTES_MAX, type BatchCodec } from './codec.js';

/**
 * Java's clients write snappy-java's framing: this header (magic, version 1, compatible with 1), then blocks, each with its
 * length before it as 4 bytes big-endian. librdkafka and Go clients write one raw block. Both are read; the framing is
 * written, because every client reads it.
 */
const HEADER = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex');
const MAGIC = HEADER.subarray(0, 8);
const MAGIC_START = HEADER.readUInt32BE(0);
const BLOCK_BYTES = 32 * 1024;
const RAW = { asBuffer: true } as const;

export const snappyCodec: BatchCodec = {
  compress({ buffer }) {
    const parts: Buffer[] = [HEADER];
    for (let at = 0; at < buffer.length; at += BLOCK_BYTES) {
      const block = compressSync(buffer.subarray(at, at + BLOCK_BYTES));
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(block.length);
      parts.push(length, block);
    }
    return Promise.resolve(Buffer.concat(parts));
  },

  async decompress(bytes) {
    const blocks = bytes.subarray(0, MAGIC.length).equals(MAGIC) ? framedBlocks(bytes) : [bytes];
    let unpacked = 0;
    for (const block of blocks) unpacked += unpackedLength(block);
    if (unpacked > UNPACKED_BYTES_MAX) throw tooLarge('snappy', bytes.length, unpacked);
    try {
      if (blocks.length === 1) return (await uncompress(blocks[0]!, RAW)) as Buffer;
      return Buffer.concat(blocks.map((block) => uncompressSync(block, RAW) as Buffer), unpacked);
    } catch (error) {
      throw corrupt('snappy', bytes.length, error);
    }
  },
};

function framedBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let at = HEADER.length;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw corrupt('snappy', bytes.length, 'it ends within a block’s length');
    const length = bytes.readUInt32BE(at);
    // Streams that were joined have a header in the middle.
    if (length === MAGIC_START) {
      at += HEADER.length;
      continue;
    }
    at += 4;
    if (length > bytes.length - at) throw corrupt('snappy', bytes.length, `a block of ${length} bytes where ${bytes.length - at} are left`);
    blocks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return blocks;
}

/** A raw block begins with its unpacked length as a varint. */
function unpackedLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw corrupt('snappy', block.length, 'its length is not a varint of 5 bytes');
}
