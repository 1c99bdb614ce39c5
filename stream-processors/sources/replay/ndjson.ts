import type { Readable } from 'node:stream';
import { FIELDS, type FieldMap, type InputRow } from './rows.js';

/** Bytes of a line that are kept; no event is as long. The rest of a longer line is dropped, the row counted as bad. */
const LINE_BYTES_MAX = 1024 * 1024;
const LINE_FEED = 0x0a;

/** Rows of a file with one JSON object a line; empty lines are skipped. */
export async function* readNdjson(input: Readable, map: FieldMap): AsyncGenerator<InputRow[]> {
  let line = 0;
  const mapped = Object.keys(map).length > 0;
  for await (const lines of readLines(input)) {
    const block: InputRow[] = [];
    for (const raw of lines) {
      line++;
      const text = raw.toString('utf8').trim();
      if (text !== '' && text !== '\ufeff') block.push({ line, fields: parseObject(text, mapped ? map : undefined), raw });
    }
    yield block;
  }
}

/** Lines without their ends, a block for each chunk that is read. */
export async function* readLines(input: Readable): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const keep = (piece: Buffer): void => {
    if (restBytes < LINE_BYTES_MAX) rest.push(piece.subarray(0, LINE_BYTES_MAX - restBytes));
    restBytes += piece.length;
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      if (restBytes === 0) lines.push(chunk.subarray(start, end));
      else {
        keep(chunk.subarray(start, end));
        lines.push(Buffer.concat(rest));
        rest = [];
        restBytes = 0;
      }
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [Buffer.concat(rest)];
}

function parseObject(text: string, map: FieldMap | undefined): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = value as Record<string, unknown>;
  if (map === undefined) return fields;
  const renamed: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const name = map[field] ?? field;
    const given = name.startsWith('=') ? name.slice(1) : fields[name];
    if (given !== undefined) renamed[field] = given;
  }
  return renamed;
}
