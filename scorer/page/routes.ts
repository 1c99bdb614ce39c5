import { z } from 'zod';
import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import { readJson } from '../api/body.js';
import { fieldErrors } from '../api/predict-request.js';
import { beginAnswer, INTERNAL, invalid, sendJson, sendProblem, type Problem } from '../api/problem.js';
import type { Page } from '../api/root.js';
import type { Caller, Finish, Route } from '../api/route.js';
import { mayUse } from '../security/core/roles.js';
import type { PageData } from './data.js';
import { readStaticFiles, type StaticFile } from './static-files.js';

/** Asks for a retraining; deploy/ hands it in, since services do not import each other. */
export type RequestRetraining = (request: { readonly why: string; readonly by: string; readonly key?: string }) => Promise<RetrainEvent>;

export interface PageRoutesOptions {
  readonly data: PageData;
  readonly log: Log;
  /** What this process knows by itself; made anew for each call. */
  stream(): Readonly<Record<string, unknown>>;
  /** Ids of the online store that begin so, at most so many. */
  customers(prefix: string, most: number): readonly string[];
  /** From when on a customer's history is shown. */
  since(customerId: string): number;
  readonly requestRetraining?: RequestRetraining;
}

const SUGGESTIONS_MAX = 8;
const id = z.string().min(1).max(EVENT_BOUNDS.id_length_max);
const prefix = z.string().max(EVENT_BOUNDS.id_length_max);
const retrain = z.strictObject({ why: z.string().trim().min(1, 'say what the new model is for').max(2000), key: z.string().min(8).max(64).optional() });
const json = (what: string) => ({ 200: { what, content: { 'application/json': z.looseObject({}) } } });

/** The document may run its own files and talk to its own server, and nothing else. */
const PAGE_HEADERS = [
  'content-security-policy', "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options', 'DENY',
  'referrer-policy', 'no-referrer',
  'cross-origin-opener-policy', 'same-origin',
  'permissions-policy', 'camera=(), geolocation=(), microphone=()',
  // Looked up again each time, by its ETag: a new release is there at the next load.
  'cache-control', 'no-cache',
] as const;

export function pageRoutes(options: PageRoutesOptions): { readonly root: Page; readonly routes: readonly Route[] } {
  const files = readStaticFiles();
  const index = files.get('index.html') as StaticFile;
  return { root: (finish) => finish((res) => sendFile(res, index, '')), routes: [staticRoute(files), overviewRoute(options), driftRoute(options), suggestRoute(options), customerRoute(options), retrainRoute(options)] };
}

type Response = Parameters<Parameters<Finish>[0]>[0];

function sendFile(res: Response, { bytes, type, etag }: StaticFile, known: string): void {
  const same = known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  beginAnswer(res, same ? '304 Not Modified' : '200 OK').writeHeader('etag', etag);
  for (let i = 0; i < PAGE_HEADERS.length; i += 2) res.writeHeader(PAGE_HEADERS[i] as string, PAGE_HEADERS[i + 1] as string);
  if (same) return void res.endWithoutBody();
  res.writeHeader('content-type', type).end(bytes);
}

function staticRoute(files: ReadonlyMap<string, StaticFile>): Route {
  return {
    method: 'get', path: '/page/static/:file', role: 'public',
    doc: { summary: 'a file of the live page', tag: 'page', path: { file: z.string() }, answers: { 200: { what: 'the file', content: { 'text/html': 'text', 'text/css': 'text', 'text/javascript': 'text', 'image/svg+xml': 'text' } }, 304: { what: 'as it is known by If-None-Match' } }, problems: [404] },
    handle(_res, req, finish) {
      const name = req.getParameter(0) ?? '';
      const known = req.getHeader('if-none-match');
      const file = files.get(name);
      finish((res) => (file === undefined ? sendProblem(res, { status: 404, code: 'NOT_FOUND', detail: `${name.slice(0, 100)} is no file of the page` }) : sendFile(res, file, known)));
    },
  };
}

/** Answers with what a promise gives; what it throws was made ready by nobody, so it is ours. */
function later(log: Log, path: string, finish: Finish, answer: Promise<unknown>): void {
  answer.then((body) => finish((res) => sendJson(res, body)), (error: unknown) => {
    log.error('request_failed', error, { path });
    finish((res) => sendProblem(res, INTERNAL));
  });
}

function overviewRoute({ data, log, stream, requestRetraining }: PageRoutesOptions): Route {
  return {
    method: 'get', path: '/page/overview', role: 'reader',
    doc: { summary: 'what the live page shows first: this process’s stream, and versions, ledger, retrainings, dead letters and performance from ClickHouse', tag: 'page', answers: json('each section with its age, and an error where ClickHouse is away') },
    handle: (_res, _req, finish, caller) => later(log, '/page/overview', finish, data.overview().then((sections) => ({ now: Date.now(), caller: caller ?? null, can_retrain: requestRetraining !== undefined && mayRetrain(caller), ...stream(), sections }))),
  };
}

/** So that the page offers nothing that would be refused; it is the guard that refuses. */
const mayRetrain = (caller: Caller | undefined): boolean => caller === undefined || mayUse(caller.role, 'operator');

function driftRoute({ data, log }: PageRoutesOptions): Route {
  return {
    method: 'get', path: '/page/drift', role: 'reader',
    doc: { summary: 'each feature’s distribution, reference against production, in the window that the drift service looked at last', tag: 'page', answers: json('the look and the features') },
    handle: (_res, _req, finish) => later(log, '/page/drift', finish, data.drift().then((drift) => ({ now: Date.now(), drift }))),
  };
}

function suggestRoute({ customers }: PageRoutesOptions): Route {
  return {
    method: 'get', path: '/page/customers', role: 'reader',
    doc: { summary: 'ids of customers that begin as `prefix` does', tag: 'page', query: { prefix }, answers: { 200: { what: `at most ${SUGGESTIONS_MAX}, in order`, content: { 'application/json': z.object({ customers: z.array(z.string()) }) } } }, problems: [400] },
    handle(_res, req, finish) {
      const asked = prefix.safeParse(new URLSearchParams(req.getQuery() ?? '').get('prefix') ?? '');
      finish((res) => (asked.success ? sendJson(res, { customers: customers(asked.data, SUGGESTIONS_MAX) }) : sendProblem(res, invalid(fieldErrors(asked.error, 'prefix')))));
    },
  };
}

function customerRoute({ data, log, since }: PageRoutesOptions): Route {
  return {
    method: 'get', path: '/page/customers/:id', role: 'reader',
    doc: { summary: 'a customer’s latest events and scores from ClickHouse', tag: 'page', path: { id }, answers: json('events and scores, newest first'), problems: [400] },
    handle(_res, req, finish) {
      const asked = id.safeParse(decoded(req.getParameter(0)));
      if (!asked.success) return finish((res) => sendProblem(res, invalid(fieldErrors(asked.error, 'id'))));
      later(log, '/page/customers/:id', finish, data.customer(asked.data, since(asked.data)).then((history) => ({ now: Date.now(), history })));
    },
  };
}

function retrainRoute({ log, requestRetraining }: PageRoutesOptions): Route {
  return {
    method: 'post', path: '/page/retrain', role: 'operator',
    doc: { summary: 'ask for a retraining', tag: 'page', description: 'The same key asked again is the same retraining.', body: { 'application/json': retrain }, answers: { 200: { what: 'the event on retrain-events', content: { 'application/json': z.looseObject({ event_id: z.string() }) } } }, problems: [400, 413, 415, 503] },
    handle(res, req, finish, caller) {
      readJson(res, req, (body, problem) => {
        if (problem !== undefined) return finish((r) => sendProblem(r, problem));
        const asked = retrain.safeParse(body);
        if (!asked.success) return finish((r) => sendProblem(r, invalid(fieldErrors(asked.error, ''))));
        if (requestRetraining === undefined) return finish((r) => sendProblem(r, { status: 503, code: 'PART_NOT_READY', detail: 'this scorer was started without the way to ask for a retraining: tidemark retrain does it' }));
        const { why, key } = asked.data;
        requestRetraining({ why, by: `page:${caller?.name ?? 'anyone'}`, ...(key === undefined ? {} : { key: `page/${key}` }) }).then(
          (event) => finish((r) => sendJson(r, { ...event })),
          (error: unknown) => {
            log.error('retrain_request_failed', error, {});
            finish((r) => sendProblem(r, problemOf(error)));
          });
      });
    },
  };
}

const problemOf = (error: unknown): Problem => (error instanceof TidemarkError ? { status: error.code === 'INPUT_INVALID' ? 400 : 503, code: error.code, detail: error.message, ...(error.code === 'INPUT_INVALID' ? {} : { retryAfterS: 5 }) } : INTERNAL);

function decoded(text: string | undefined): string | undefined {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return undefined;
  }
}
