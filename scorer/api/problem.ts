import type { HttpResponse } from 'uWebSockets.js';
import type { ErrorCode } from '../../runtime/errors.js';

/** A field of the request and the rule it breaks. */
export interface FieldError {
  readonly field: string;
  readonly rule: string;
}

/** Statuses of error answers, with their titles. */
export const TITLES = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable',
  408: 'Request Timeout', 409: 'Conflict', 413: 'Content Too Large', 415: 'Unsupported Media Type', 422: 'Unprocessable Content', 426: 'Upgrade Required',
  429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 500: 'Internal Server Error', 503: 'Service Unavailable', 504: 'Gateway Timeout',
} as const;

/** An error answer (RFC 9457). */
export interface Problem {
  readonly status: keyof typeof TITLES;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Seconds after which the same request may succeed. */
  readonly retryAfterS?: number;
  readonly allow?: string;
  /** Further headers of the answer, as name and value in turn. */
  readonly headers?: readonly string[];
}

export const INTERNAL: Problem = { status: 500, code: 'INTERNAL', detail: 'the request failed inside the scorer; its log has the cause' };

export const unknownCustomer = (customerId: string): Problem =>
  ({ status: 404, code: 'NOT_FOUND', detail: `customer ${JSON.stringify(customerId)} is not in this scorer’s online store: no event of theirs has been scored here` });

export const NOT_READY: Problem = { status: 503, code: 'PART_NOT_READY', detail: 'no model serves yet; /health says more', retryAfterS: 5 };
export const FAILED: Problem = { status: 503, code: 'INTERNAL', detail: 'the model failed on this request; the scorer’s log has the cause', retryAfterS: 5 };
export const OVERLOADED: Problem = { status: 503, code: 'PART_NOT_READY', detail: 'more requests wait than can be scored at once', retryAfterS: 1 };

/** A response as the server hands it to handlers: what its answer carries besides the handler's own. */
export interface TaggedResponse extends HttpResponse {
  requestId?: string;
  /** The status line that it was answered with. */
  answered?: string;
  /** Name and value in turn. */
  moreHeaders?: readonly string[] | undefined;
  /** Called when the client goes away before it is answered. */
  whenAborted?: () => void;
}

export const isProblem = (value: object): value is Problem => 'status' in value && 'code' in value && 'detail' in value;

export const invalid = (errors: readonly FieldError[]): Problem =>
  ({ status: 400, code: 'INPUT_INVALID', detail: errors.map(({ field, rule }) => `${field}: ${rule}`).join('; '), errors });

export function problemJson({ status, code, detail, errors }: Problem, requestId?: string): string {
  return JSON.stringify({
    type: `urn:tidemark:error:${code}`, title: TITLES[status], status, code, detail, ...(errors === undefined ? {} : { errors }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  });
}

const OK = '200 OK';

/** Status line and what every answer carries. Every answer begins with it. */
export function beginAnswer(res: TaggedResponse, status: string): HttpResponse {
  // 200 is what uWebSockets writes when nothing is said: a call less for most answers.
  if (status !== OK) res.writeStatus(status);
  res.answered = status;
  if (res.requestId !== undefined) res.writeHeader('x-request-id', res.requestId);
  const more = res.moreHeaders;
  if (more !== undefined) for (let i = 0; i + 1 < more.length; i += 2) res.writeHeader(more[i] as string, more[i + 1] as string);
  return res;
}

export function sendProblem(res: TaggedResponse, problem: Problem): void {
  beginAnswer(res, `${problem.status} ${TITLES[problem.status]}`).writeHeader('content-type', 'application/problem+json');
  if (problem.retryAfterS !== undefined) res.writeHeader('retry-after', String(problem.retryAfterS));
  if (problem.allow !== undefined) res.writeHeader('allow', problem.allow);
  for (let i = 0, more = problem.headers ?? []; i + 1 < more.length; i += 2) res.writeHeader(more[i] as string, more[i + 1] as string);
  res.end(problemJson(problem, res.requestId));
}

export const sendText = (res: HttpResponse, body: string, mediaType: string, status = OK): void =>
  void beginAnswer(res, status).writeHeader('content-type', mediaType).end(body);

export const sendJson = (res: HttpResponse, body: unknown, status = OK): void =>
  sendText(res, typeof body === 'string' ? body : JSON.stringify(body), 'application/json', status);
