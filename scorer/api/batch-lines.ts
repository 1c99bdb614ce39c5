import type { Log } from '../../runtime/log.js';
import type { Bulk } from '../bulk/bulk.js';
import { beginAnswer, INTERNAL, isProblem, OVERLOADED, sendProblem, type Problem, type TaggedResponse } from './problem.js';
import { writePieces } from './pieces.js';
import type { Finish } from './route.js';

/** Bytes of whole lines that go to a worker at once. */
const BLOCK_BYTES = 128 * 1024;
/** Blocks of one request that wait for a worker or for the client: beyond it the client is not read from. */
const BLOCKS_MAX = 4;
/** A line, which is one row. */
export const LINE_BYTES_MAX = 64 * 1024;

/**
 * Answers NDJSON while it is being read: a block of lines at a time, in their order. A client that reads slowly is read from
 * slowly; memory is bounded by a few blocks either way.
 */
export function streamLines(res: TaggedResponse, finish: Finish, bulk: Bulk, log: Log): void {
  const held = BLOCKS_MAX * BLOCK_BYTES;
  if (!bulk.hold(held)) return finish((r) => sendProblem(r, OVERLOADED));
  let parts: Buffer[] = [];
  let partBytes = 0;
  let row = 0;
  /** Sent to a worker and not yet taken by the client. */
  let open = 0;
  let read = false;
  let paused = false;
  let over = false;
  let begun = false;
  let writable = true;
  const unsent: Uint8Array<ArrayBuffer>[] = [];
  /** Threads score blocks side by side; those before the next are among the unsent then. */
  let inOrder: Promise<unknown> = Promise.resolve();

  const end = (): void => {
    if (over) return;
    over = true;
    bulk.release(held);
  };
  res.whenAborted = end;

  /** Before the first line is answered a problem is the answer; later it is the stream's last line. */
  function fail(problem: Problem): void {
    if (over) return;
    end();
    if (paused) res.resume();
    finish((r) => {
      if (!begun) return sendProblem(r, problem);
      r.end(`${JSON.stringify({ error: { status: problem.status, code: problem.code, detail: problem.detail } })}\n`);
    });
  }

  function begin(): void {
    if (begun) return;
    begun = true;
    beginAnswer(res, '200 OK').writeHeader('content-type', 'application/x-ndjson');
  }

  /** Writes what has been scored as far as the client takes it. */
  function send(): void {
    while (writable && unsent.length > 0) {
      open--;
      writable = writePieces(res, unsent.shift()!, begin);
    }
    if (paused && open < BLOCKS_MAX) {
      paused = false;
      res.resume();
    }
    if (!read || open > 0) return;
    end();
    finish((r) => {
      if (!begun) beginAnswer(r, '200 OK').writeHeader('content-type', 'application/x-ndjson');
      r.end();
    });
  }
  res.onWritable(() => {
    writable = true;
    if (!over) send();
    return true;
  });

  function score(lines: Uint8Array<ArrayBuffer>): void {
    open++;
    const first = row;
    row += countLines(lines);
    inOrder = Promise.all([bulk.run('lines', lines, res.requestId ?? '', first), inOrder]).then(([done]) => {
      if (over) return;
      if (isProblem(done)) return fail(done);
      unsent.push(done.bytes);
      if (writable) send();
    }, (error: unknown) => {
      log.error('request_failed', error, { path: '/batch-predict', request_id: res.requestId });
      fail(INTERNAL);
    });
    if (open >= BLOCKS_MAX && !paused && !read) {
      paused = true;
      res.pause();
    }
  }

  /** Sends off whole lines; what follows the last newline waits for its rest. */
  function cut(isLast: boolean): void {
    const bytes = new Uint8Array(partBytes);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const whole = isLast ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
    const rest = bytes.subarray(whole);
    parts = rest.length > 0 ? [Buffer.from(rest)] : [];
    partBytes = rest.length;
    if (whole > 0) score(bytes.slice(0, whole));
    if (partBytes > LINE_BYTES_MAX) fail({ status: 413, code: 'INPUT_INVALID', detail: `line ${row + 1} has more than ${LINE_BYTES_MAX} bytes` });
  }

  res.onData((chunk, isLast) => {
    if (over) return;
    for (let at = 0; at < chunk.byteLength && !over; at += BLOCK_BYTES) {
      const piece = Buffer.from(new Uint8Array(chunk, at, Math.min(BLOCK_BYTES, chunk.byteLength - at)));
      parts.push(piece);
      partBytes += piece.length;
      if (partBytes >= BLOCK_BYTES) cut(false);
    }
    if (!isLast || over) return;
    read = true;
    cut(true);
    if (open === 0) send();
  });
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const newline = bytes.indexOf(0x0a, at);
    at = newline < 0 ? bytes.length : newline + 1;
  }
  return count;
}
