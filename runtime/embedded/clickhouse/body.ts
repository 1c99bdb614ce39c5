import { init as initZstd, decompress as decompressZstd } from '@bokuweb/zstd-wasm';
import { createWriteStream } from 'node:fs';
import { mkdirSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { decompressFrame } from 'lz4-napi';
import { messageOf } from '../../errors.js';
import { ProtocolError } from './protocol-error.js';

/** Most bytes of a body that is held in memory, as sent and as decompressed: statements, and data that follows its INSERT in the body. */
export const MEMORY_BODY_BYTES_MAX = 256 * 1024 * 1024;
/** Most bytes of all bodies in memory at one time. */
const MEMORY_BODIES_BYTES_MAX = 1024 * 1024 * 1024;
/** Most bytes of data that go to a file, as sent. */
const FILE_BODY_BYTES_MAX = 16 * 1024 * 1024 * 1024;

/** The engine's names of Content-Encodings that it undoes itself while it reads a file. */
const ENGINE_COMPRESSION: Readonly<Record<string, string>> = { identity: 'none', gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br', lz4: 'lz4', zstd: 'zstd' };

let held = 0;
let zstdReady: Promise<void> | undefined;

export const contentEncoding = (message: IncomingMessage): string => (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();

/** A body in memory; `release` gives its share of the bound back. */
export interface Body { readonly bytes: Buffer; release(): void }

/** Reads the whole body and undoes its Content-Encoding. */
export async function readBody(message: IncomingMessage): Promise<Body> {
  const encoding = contentEncoding(message);
  const parts: Buffer[] = [];
  let size = 0;
  let share = 0;
  const release = (): void => { held -= share; share = 0; };
  const take = (bytes: number): void => {
    share += bytes;
    held += bytes;
    if (share > MEMORY_BODY_BYTES_MAX) throw new ProtocolError(307, 'TOO_MANY_BYTES', `Request body is larger than ${MEMORY_BODY_BYTES_MAX} bytes; put the INSERT into the query parameter and its data alone into the body, or send several inserts.`);
    if (held > MEMORY_BODIES_BYTES_MAX) throw new ProtocolError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `Request bodies under way exceed ${MEMORY_BODIES_BYTES_MAX} bytes; try again later.`);
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
  const bound = { maxOutputLength: MEMORY_BODY_BYTES_MAX };
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
    throw new ProtocolError(271, 'CANNOT_DECOMPRESS', `Cannot decompress the request body as ${encoding} into at most ${MEMORY_BODY_BYTES_MAX} bytes: ${messageOf(error)}.`);
  }
  throw unknownEncoding(encoding);
}

const unknownEncoding = (encoding: string): ProtocolError =>
  new ProtocolError(89, 'UNKNOWN_COMPRESSION_METHOD', `Unknown Content-Encoding '${encoding}', expected one of gzip, deflate, br, lz4, zstd.`);

/** Data of one INSERT in a file that the engine reads. */
export interface DataFile { readonly path: string; readonly compression: string; remove(): Promise<void> }

/**
 * The folder where data of inserts under way stands. The engine takes inline data too, but ends it at the first blank
 * line and runs the rest as the next statement; from a file it reads every byte as data, and faster.
 */
export class Spool {
  private readonly folder: string;
  private count = 0;
  constructor(dataDir: string) {
    this.folder = join(dataDir, 'incoming');
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** Writes the body as it arrives, still encoded. */
  async fromMessage(message: IncomingMessage): Promise<DataFile> {
    const encoding = contentEncoding(message);
    const compression = ENGINE_COMPRESSION[encoding];
    if (compression === undefined) throw unknownEncoding(encoding);
    const file = this.next(compression);
    let size = 0;
    try {
      await pipeline(message, async function* (parts: AsyncIterable<Buffer>) {
        for await (const part of parts) {
          size += part.length;
          if (size > FILE_BODY_BYTES_MAX) throw new ProtocolError(307, 'TOO_MANY_BYTES', `Request body is larger than ${FILE_BODY_BYTES_MAX} bytes; send the data in several inserts.`);
          yield part;
        }
      }, createWriteStream(file.path, { highWaterMark: 1024 * 1024 }));
      // An empty file is no valid compressed stream, and means no rows all the same.
      return size === 0 ? { ...file, compression: 'none' } : file;
    } catch (error) {
      await file.remove();
      throw error;
    }
  }

  async fromBytes(bytes: Buffer): Promise<DataFile> {
    const file = this.next('none');
    await writeFile(file.path, bytes);
    return file;
  }

  private next(compression: string): DataFile {
    const path = join(this.folder, `insert-${++this.count}`);
    return { path, compression, remove: () => rm(path, { force: true }) };
  }
}
