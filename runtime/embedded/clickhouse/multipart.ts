import { ProtocolError } from './protocol-error.js';

/** One part of a multipart/form-data body. */
export interface Part { readonly name: string; readonly bytes: Buffer }

const PARTS_MAX = 1_000;

/** The boundary of a multipart/form-data Content-Type, or undefined for any other. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '');
  return match?.[1] ?? match?.[2];
}

/** Splits a body into its parts. @throws ProtocolError 36 for one that is malformed */
export function splitParts(body: Buffer, boundary: string): Part[] {
  const parts: Part[] = [];
  const mark = Buffer.from(`--${boundary}`);
  const malformed = (): ProtocolError => new ProtocolError(36, 'BAD_ARGUMENTS', 'The multipart/form-data body is malformed.');
  let at = body.indexOf(mark);
  if (at < 0) throw malformed();
  for (at += mark.length; body[at] !== 0x2d || body[at + 1] !== 0x2d;) {
    const headEnd = body.indexOf('\r\n\r\n', at);
    const end = headEnd < 0 ? -1 : body.indexOf(Buffer.concat([Buffer.from('\r\n'), mark]), headEnd + 2);
    if (end < 0) throw malformed();
    const name = /^content-disposition:.*[;\s]name="([^"\r\n]*)"/im.exec(body.toString('utf8', at, headEnd))?.[1];
    if (name === undefined || parts.length >= PARTS_MAX) throw malformed();
    parts.push({ name, bytes: body.subarray(headEnd + 4, Math.max(end, headEnd + 4)) });
    at = end + 2 + mark.length;
  }
  return parts;
}
