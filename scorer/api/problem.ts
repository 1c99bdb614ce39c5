import type { HttpResponse } from 'uWebSockets.js';
import type { ErrorCode } from '../../runtime/errors.js';

/** A field of the request and the rule it breaks. */
export interface FieldError {
  readonly field: string;
  readonly rule: string;
}

/** An error answer (RFC 9457). */
export interface Problem {
  readonly status: 400 | 404 | 405 | 408 | 413 | 415 | 426 | 500 | 503;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Seconds after which the same request may succeed. */
  readonly retryAfterS?: number;
  readonly allow?: string;
}

const TITLES: Record<Problem['status'], string> = {
  400: 'Bad Request', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout', 413: 'Content Too Large',
  415: 'Unsupported Media Type', 426: 'Upgrade Required', 500: 'Internal Server Error', 503: 'Service Unavailable',
};

export const isProblem = (value: object): value is Problem => 'status' in value && 'code' in value && 'detail' in value;

export const invalid = (errors: readonly FieldError[]): Problem =>
  ({ status: 400, code: 'INPUT_INVALID', detail: errors.map(({ field, rule }) => `${field}: ${rule}`).join('; '), errors });

export function problemJson({ status, code, detail, errors }: Problem): string {
  return JSON.stringify({ type: `urn:tidemark:error:${code}`, title: TITLES[status], status, code, detail, ...(errors === undefined ? {} : { errors }) });
}

export function sendProblem(res: HttpResponse, problem: Problem): void {
  res.writeStatus(`${problem.status} ${TITLES[problem.status]}`).writeHeader('content-type', 'application/problem+json');
  if (problem.retryAfterS !== undefined) res.writeHeader('retry-after', String(problem.retryAfterS));
  if (problem.allow !== undefined) res.writeHeader('allow', problem.allow);
  res.end(problemJson(problem));
}

export function sendJson(res: HttpResponse, body: unknown, status = '200 OK'): void {
  res.writeStatus(status).writeHeader('content-type', 'application/json').end(typeof body === 'string' ? body : JSON.stringify(body));
}
