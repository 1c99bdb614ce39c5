import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { compress, decompress, init } from '@bokuweb/zstd-wasm';
import { corrupt, tooLarge, UNPACKED_BYTES_MAX, type BatchCodec } from './codec.js';

const MAGIC = 0xfd2fb528;
const LEVEL = 3;
/** First guess where a frame does not say what it unpacks to (Java's clients do not). */
const GUESS_RATIO = 8;
const GUESS_BYTES_MIN = 256 * 1024;

type Unpack = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;
type Pack = (bytes: Buffer) => Promise<Buffer>;
/** Node has zstd of its own from 22.15 and 23.8 on. */
const native = zlib as unknown as { zstdCompress?: never; zstdDecompress?: never };
const nativePack = native.zstdCompress === undefined ? undefined : (promisify(native.zstdCompress) as unknown as Pack);
const nativeUnpack = native.zstdDecompress === undefined ? undefined : (promisify(native.zstdDecompress) as unknown as Unpack);

let wasmReady: Promise<void> | undefined;
const wasm = (): Promise<void> => (wasmReady ??= init());

export const zstdCodec: BatchCodec = {
  async compress({ buffer }) {
    if (nativePack !== undefined) return nativePack(buffer);
    await wasm();
    return asBuffer(compress(buffer, LEVEL));
  },

  async decompress(bytes) {
    const declared = contentSize(bytes);
    if (declared !== undefined && declared > UNPACKED_BYTES_MAX) throw tooLarge('zstd', bytes.length, declared);
    if (nativeUnpack !== undefined) return unpackNative(nativeUnpack, bytes);
    await wasm();
    return unpackWasm(bytes, declared);
  },
};

async function unpackNative(unpack: Unpack, bytes: Buffer): Promise<Buffer> {
  try {
    return await unpack(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge('zstd', bytes.length) : corrupt('zstd', bytes.length, error);
  }
}

/** The library wants the room given beforehand: guessed, and four times as much while that was too little. */
function unpackWasm(bytes: Buffer, declared: number | undefined): Buffer {
  const first = Math.max(bytes.length * GUESS_RATIO, GUESS_BYTES_MIN);
  for (let room = Math.min(first, UNPACKED_BYTES_MAX); ; room = Math.min(room * 4, UNPACKED_BYTES_MAX)) {
    try {
      return asBuffer(decompress(bytes, { defaultHeapSize: room }));
    } catch (error) {
      // The error's number, in two's complement of 32 bits, is ZSTD_error_dstSize_tooSmall.
      const tooSmall = /code (-?\d+)/.exec(String(error))?.[1];
      if (declared !== undefined || (Number(tooSmall) | 0) !== -70) throw corrupt('zstd', bytes.length, error);
      if (room === UNPACKED_BYTES_MAX) throw tooLarge('zstd', bytes.length);
    }
  }
}

/** The unpacked size that the frame's header gives (RFC 8878, 3.1.1.1); undefined where it gives none. */
function contentSize(bytes: Buffer): number | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== MAGIC) throw corrupt('zstd', bytes.length, 'it does not begin with a zstd frame');
  const descriptor = bytes[4]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (singleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  if (sizeBytes === 0) return undefined;
  if (at + sizeBytes > bytes.length) throw corrupt('zstd', bytes.length, 'its header is cut off');
  switch (sizeBytes) {
    case 1: return bytes[at]!;
    case 2: return bytes.readUInt16LE(at) + 256;
    case 4: return bytes.readUInt32LE(at);
    default: return Number(bytes.readBigUInt64LE(at));
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
