import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { messageOf } from '../../runtime/errors.js';
import type { Problem } from './problem.js';

export const BODY_BYTES_MAX = 64 * 1024;

const MEDIA_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads a JSON body. Register the abort handler before calling it: it answers after this turn.
 * @param done called once, with the parsed body or with what is wrong; never after an abort
 */
export function readJson(res: HttpResponse, req: HttpRequest, done: (body: unknown, problem?: Problem) => void): void {
  const type = req.getHeader('content-type');
  const declared = Number(req.getHeader('content-length') || 0);
  if (!MEDIA_TYPE.test(type))
    return done(undefined, { status: 415, code: 'INPUT_INVALID', detail: `content-type is ${type === '' ? 'absent' : JSON.stringify(type)}, expected application/json` });
  if (declared > BODY_BYTES_MAX) return done(undefined, tooLarge(declared));
  let head: Buffer | undefined;
  let over = false;
  res.onData((chunk, isLast) => {
    if (over) return;
    const bytes = Buffer.from(chunk);
    const length = (head?.length ?? 0) + bytes.length;
    if (length > BODY_BYTES_MAX) {
      over = true;
      return done(undefined, tooLarge(length));
    }
    if (isLast) return parse(head === undefined ? bytes : Buffer.concat([head, bytes]), done);
    head = head === undefined ? Buffer.concat([bytes]) : Buffer.concat([head, bytes]);
  });
}

const tooLarge = (length: number): Problem => ({ status: 413, code: 'INPUT_INVALID', detail: `the body has ${length} bytes or more, at most ${BODY_BYTES_MAX} are taken` });

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer, done: (body: unknown, problem?: Problem) => void): void {
  let body: unknown;
  try {
    body = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    return done(undefined, { status: 400, code: 'INPUT_INVALID', detail: `the body is no JSON: ${messageOf(error)}`, errors: [{ field: 'body', rule: 'JSON in UTF-8' }] });
  }
  done(body);
}
