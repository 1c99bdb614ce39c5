import { init as initZstd, decompress as decompressZstd } from '@bokuweb/zstd-wasm';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { decompressFrame } from 'lz4-napi';
import { messageOf } from '../../errors.js';
import { ProtocolError } from './protocol-error.js';

/** Most bytes of one request's body, as sent and as decompressed. A larger INSERT is sent in parts. */
export const BODY_BYTES_MAX = 256 * 1024 * 1024;
/** Most bytes of all bodies that are held at one time. */
const BODIES_BYTES_MAX = 1024 * 1024 * 1024;

let held = 0;
let zstdReady: Promise<void> | undefined;

/** A body in memory; `release` gives its share of the bound back. */
export interface Body { readonly bytes: Buffer; release(): void }

/** Reads the whole body and undoes its Content-Encoding. */
export async function readBody(message: IncomingMessage): Promise<Body> {
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const parts: Buffer[] = [];
  let size = 0;
  let share = 0;
  const release = (): void => { held -= share; share = 0; };
  const take = (bytes: number): void => {
    share += bytes;
    held += bytes;
    if (share > BODY_BYTES_MAX) throw new ProtocolError(307, 'TOO_MANY_BYTES', `Request body is larger than ${BODY_BYTES_MAX} bytes; send the data in several inserts.`);
    if (held > BODIES_BYTES_MAX) throw new ProtocolError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `Request bodies under way exceed ${BODIES_BYTES_MAX} bytes; try again later.`);
  };
  try {
    for await (const part of message as AsyncIterable<Buffer>) {
      take(part.length);
      parts.push(part);
      size += part.length;
    }
    const raw = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size);
    if (encoding === 'identity' || encoding === '' || raw.length === 0) return { bytes: raw, release };
    const bytes = await decode(raw, encoding);
    release();
    take(bytes.length);
    return { bytes, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function decode(raw: Buffer, encoding: string): Promise<Buffer> {
  const bound = { maxOutputLength: BODY_BYTES_MAX };
  try {
    switch (encoding) {
      case 'gzip': case 'x-gzip': return await promisify(gunzip)(raw, bound) as Buffer;
      case 'deflate': return await promisify(inflate)(raw, bound) as Buffer;
      case 'br': return await promisify(brotliDecompress)(raw, bound);
      case 'lz4': return await decompressFrame(raw);
      case 'zstd': {
        zstdReady ??= initZstd();
        await zstdReady;
        return Buffer.from(decompressZstd(raw));
      }
    }
  } catch (error) {
    throw new ProtocolError(271, 'CANNOT_DECOMPRESS', `Cannot decompress the request body as ${encoding} into at most ${BODY_BYTES_MAX} bytes: ${messageOf(error)}.`);
  }
  throw new ProtocolError(89, 'UNKNOWN_COMPRESSION_METHOD', `Unknown Content-Encoding '${encoding}', expected one of gzip, deflate, br, lz4, zstd.`);
}
