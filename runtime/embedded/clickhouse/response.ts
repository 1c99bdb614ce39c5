import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, createDeflate, createGzip, constants } from 'node:zlib';
import { Readable, type Transform } from 'node:stream';
import type { Outcome } from './engine.js';
import type { Answer } from './protocol-error.js';

/** Under this size compressing costs more than it saves. */
const COMPRESS_BYTES_MIN = 1024;

export interface ResponseInfo {
  readonly queryId: string;
  readonly format: string;
  readonly contentType: string;
  readonly timezone: string;
  readonly serverName: string;
}

export function setHeaders(response: ServerResponse, info: ResponseInfo): void {
  response.setHeader('Content-Type', info.contentType);
  response.setHeader('X-ClickHouse-Server-Display-Name', info.serverName);
  response.setHeader('X-ClickHouse-Query-Id', info.queryId);
  response.setHeader('X-ClickHouse-Format', info.format);
  response.setHeader('X-ClickHouse-Timezone', info.timezone);
}

/** @param startedAt process.hrtime.bigint() when the request began */
export function setSummary(response: ServerResponse, outcome: Outcome, startedAt: bigint): void {
  response.setHeader('X-ClickHouse-Summary', JSON.stringify({
    read_rows: String(outcome.rowsRead), read_bytes: String(outcome.bytesRead),
    written_rows: String(outcome.rowsWritten), written_bytes: String(outcome.bytesWritten),
    total_rows_to_read: '0', result_rows: String(outcome.rowsWritten), result_bytes: String(outcome.bytes.length),
    elapsed_ns: String(process.hrtime.bigint() - startedAt),
  }));
}

/** The encoder for the first of the client's encodings that we have, if it asked for compression. */
export function encoderFor(request: IncomingMessage, wanted: boolean): { name: string; transform: Transform } | undefined {
  if (!wanted) return undefined;
  const accepted = String(request.headers['accept-encoding'] ?? '').split(',').map((part) => part.split(';')[0]?.trim().toLowerCase() ?? '');
  for (const name of accepted) {
    if (name === 'gzip') return { name, transform: createGzip({ level: 1 }) };
    if (name === 'deflate') return { name, transform: createDeflate({ level: 1 }) };
    if (name === 'br') return { name, transform: createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }) };
  }
  return undefined;
}

export async function sendWhole(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, compress: boolean): Promise<void> {
  const encoder = bytes.length < COMPRESS_BYTES_MIN ? undefined : encoderFor(request, compress);
  if (encoder === undefined) {
    response.setHeader('Content-Length', bytes.length);
    await new Promise<void>((resolve) => { response.once('close', resolve); response.end(bytes, () => resolve()); });
    return;
  }
  response.setHeader('Content-Encoding', encoder.name);
  await pipeline(Readable.from([bytes]), encoder.transform, response);
}

export function sendError(response: ServerResponse, answer: Answer): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = answer.status;
  for (const name of ['Content-Length', 'Content-Encoding', 'X-ClickHouse-Summary']) response.removeHeader(name);
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.setHeader('X-ClickHouse-Exception-Code', String(answer.code));
  if (answer.status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse server HTTP API"');
  response.end(answer.text);
}
