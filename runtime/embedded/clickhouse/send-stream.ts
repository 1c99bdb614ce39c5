import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { answerFor } from './protocol-error.js';
import { encoderFor } from './response.js';
import type { ResultStream } from './stream-pool.js';

/**
 * Sends a result as it comes, at the client's pace. An error after the first byte is written into the body between marks
 * that carry the tag of X-ClickHouse-Exception-Tag, as ClickHouse does since 25.11, and the connection is cut, so that
 * no client takes the part for the whole.
 * @param reshape what a chunk still needs before it is sent
 */
export async function sendStream(request: IncomingMessage, response: ServerResponse, result: ResultStream, compress: boolean, version: string, reshape: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const tag = randomBytes(12).toString('base64url').replace(/[-_]/g, 'x');
  response.setHeader('X-ClickHouse-Exception-Tag', tag);
  const encoder = encoderFor(request, compress);
  let broken = false;
  async function* parts(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of result) yield reshape(chunk.bytes);
    } catch (error) {
      broken = true;
      const text = answerFor(error, version).text;
      yield Buffer.from(`\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`);
    }
  }
  const source = Readable.from(parts(), { objectMode: true, highWaterMark: 1 });
  try {
    if (encoder !== undefined) {
      response.setHeader('Content-Encoding', encoder.name);
      await pipeline(source, encoder.transform, response);
      return;
    }
    await pipeline(source, response, { end: false });
    if (!broken) await new Promise<void>((done) => { response.once('close', done); response.end(done); });
    else await new Promise<void>((done) => response.write('', () => { response.destroy(); done(); }));
  } finally {
    result.end();
  }
}
