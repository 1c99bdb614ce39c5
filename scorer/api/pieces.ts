import type { HttpResponse } from 'uWebSockets.js';

/** What fits into uWebSockets' cork buffer of 16 kB together with a chunk's size and an answer's headers. */
const PIECE_BYTES = 12 * 1024;

/**
 * Writes a part of a streamed answer, in pieces of a cork of their own: bytes that overflow the cork buffer while the socket is full
 * are lost by uWebSockets, and the chunk's size is not. Never call it from within a cork, so not in the turn of the request.
 * @param begin writes status and headers before the first piece
 * @returns false where the socket did not take everything: what was written waits there, `onWritable` says when more may come
 */
export function writePieces(res: HttpResponse, bytes: Uint8Array<ArrayBuffer>, begin?: () => void): boolean {
  let taken = true;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    res.cork(() => {
      if (at === 0) begin?.();
      taken = res.write(bytes.subarray(at, at + PIECE_BYTES));
    });
  return taken;
}
