import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { messageOf } from '../../runtime/errors.js';
import type { Problem } from './problem.js';

/** Of a body that is one request about one customer. Routes with larger ones name their own bound. */
export const BODY_BYTES_MAX = 64 * 1024;

export const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i;

export interface BodyRule {
  readonly bytesMax: number;
  /** Media types that are taken, and how an error names them. */
  readonly type: RegExp;
  readonly typeName: string;
}

export const JSON_BODY: BodyRule = { bytesMax: BODY_BYTES_MAX, type: JSON_TYPE, typeName: 'application/json' };

/**
 * Reads a body to its end, within the rule's bound. Call it at once, in the handler: it answers after this turn.
 * @param done called once, with the bytes (valid during the call only) or with what is wrong; never after an abort
 */
export function readBytes(res: HttpResponse, req: HttpRequest, rule: BodyRule, done: (bytes: Buffer | undefined, problem?: Problem) => void): void {
  const type = req.getHeader('content-type');
  const declared = Number(req.getHeader('content-length') || 0);
  if (!rule.type.test(type))
    return done(undefined, { status: 415, code: 'INPUT_INVALID', detail: `content-type is ${type === '' ? 'absent' : JSON.stringify(type.slice(0, 100))}, expected ${rule.typeName}` });
  if (declared > rule.bytesMax) return done(undefined, tooLarge(declared, rule.bytesMax));
  let parts: Buffer[] | undefined;
  let length = 0;
  res.onData((chunk, isLast) => {
    if (length > rule.bytesMax) return;
    length += chunk.byteLength;
    if (length > rule.bytesMax) return done(undefined, tooLarge(length, rule.bytesMax));
    if (isLast) return done(parts === undefined ? Buffer.from(chunk) : Buffer.concat([...parts, Buffer.from(chunk)]));
    // The chunk's memory is uWebSockets' and used again after this call.
    (parts ??= []).push(Buffer.from(Buffer.from(chunk)));
  });
}

/** The same for JSON. */
export function readJson(res: HttpResponse, req: HttpRequest, done: (body: unknown, problem?: Problem) => void, rule: BodyRule = JSON_BODY): void {
  readBytes(res, req, rule, (bytes, problem) => {
    if (bytes === undefined) return done(undefined, problem);
    const parsed = parseJson(bytes);
    return 'problem' in parsed ? done(undefined, parsed.problem) : done(parsed.body);
  });
}

const tooLarge = (length: number, max: number): Problem => ({ status: 413, code: 'INPUT_INVALID', detail: `the body has ${length} bytes or more, at most ${max} are taken` });

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseJson(bytes: Uint8Array): { readonly body: unknown } | { readonly problem: Problem } {
  try {
    return { body: JSON.parse(utf8.decode(bytes)) as unknown };
  } catch (error) {
    return { problem: { status: 400, code: 'INPUT_INVALID', detail: `the body is no JSON: ${messageOf(error)}`, errors: [{ field: 'body', rule: 'JSON in UTF-8' }] } };
  }
}
