import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, TidemarkError } from '../../../runtime/errors.js';
import { readCsv } from './csv.js';
import { readNdjson } from './ndjson.js';

/** The fields of an event as a file may name them. */
export const FIELDS = ['event_id', 'customer_id', 'event_type', 'amount', 'quantity', 'channel', 'event_time', 'properties'] as const;
export type Field = (typeof FIELDS)[number];
/** Column or key of a field where it is not the field's own name; `=text` stands for that text in every row. */
export type FieldMap = Readonly<Partial<Record<Field, string>>>;

/** One row as it stands in the file. */
export interface InputRow {
  /** First line of the row, counted from 1. */
  readonly line: number;
  /** The fields that the row has, undefined where it is no object of fields at all. */
  readonly fields: Record<string, unknown> | undefined;
  /** The untouched bytes, for formats in which a row is one line. */
  readonly raw: Buffer | undefined;
}

export interface EventFile {
  readonly path: string;
  readonly format: 'csv' | 'ndjson';
  readonly gzip: boolean;
  readonly size_bytes: number;
  readonly modified_ms: number;
}

/** @throws TidemarkError INPUT_INVALID when the file is not there or its name does not say its format */
export async function openEventFile(path: string): Promise<EventFile> {
  const match = /\.(csv|ndjson|jsonl|json)(\.gz)?$/i.exec(path);
  let found;
  try {
    found = await stat(path);
  } catch (error) {
    throw new TidemarkError('INPUT_INVALID', `events file ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (!found.isFile()) throw new TidemarkError('INPUT_INVALID', `events file ${path} is not a file`);
  if (match === null)
    throw new TidemarkError('INPUT_INVALID', `events file ${path}: expected a name that ends in .csv, .ndjson, .jsonl or .json, each also with .gz`);
  const gzip = await startsWith(path, [0x1f, 0x8b]);
  return { path, format: match[1]!.toLowerCase() === 'csv' ? 'csv' : 'ndjson', gzip, size_bytes: found.size, modified_ms: Math.round(found.mtimeMs) };
}

/**
 * Rows of a file in its own order, in blocks, read as fast as they are asked for and no faster.
 * @throws TidemarkError INPUT_INVALID when the file as a whole cannot be read (damaged gzip, no usable header)
 */
export async function* readRows(file: EventFile, map: FieldMap = {}): AsyncGenerator<InputRow[]> {
  const source = createReadStream(file.path, { highWaterMark: 256 * 1024 });
  const input: Readable = file.gzip ? source.pipe(createGunzip()) : source;
  if (file.gzip) source.on('error', (error) => input.destroy(error));
  try {
    yield* file.format === 'csv' ? readCsv(input, map) : readNdjson(input, map);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError('INPUT_INVALID', `events file ${file.path}: ${messageOf(error)}`, { cause: error });
  } finally {
    source.destroy();
    input.destroy();
  }
}

async function startsWith(path: string, bytes: readonly number[]): Promise<boolean> {
  const handle = await open(path);
  try {
    const head = Buffer.alloc(bytes.length);
    const { bytesRead } = await handle.read(head, 0, bytes.length, 0);
    return bytesRead === bytes.length && bytes.every((byte, i) => head[i] === byte);
  } finally {
    await handle.close();
  }
}
