import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { corrupt, tooLarge, UNPACKED_BYTES_MAX, type BatchCodec } from './codec.js';

const pack = promisify<Buffer, Buffer>(gzip);
const unpack = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

export const gzipCodec: BatchCodec = {
  compress: ({ buffer }) => pack(buffer),
  async decompress(bytes) {
    try {
      return await unpack(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge('gzip', bytes.length) : corrupt('gzip', bytes.length, error);
    }
  },
};
