import { z } from 'zod';
import { sendText, TITLES, type Problem } from './problem.js';
import { ROLES } from '../security/core/roles.js';
import { methodName, type Content, type Route, type RouteDoc } from './route.js';

const PROBLEM = z.object({
  type: z.string().describe('urn:tidemark:error:CODE'), title: z.string(), status: z.int(), code: z.string().describe('one of docs/error-codes.md'), detail: z.string(),
  errors: z.array(z.object({ field: z.string(), rule: z.string() })).optional().describe('fields of the request and the rules they break'), request_id: z.string().optional(),
});
/** What any route may answer beside what it names: a broken request is refused before it is read, a failure has its answer too. */
const ALWAYS: readonly Problem['status'][] = [500];
/** What the guard may answer for routes that are not public. */
const GUARDED: readonly Problem['status'][] = [401, 403, 429];
const RETRIED = new Set<number>([429, 503]);

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of the routes, from the schemas that they check with. */
export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[methodName(route).toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tidemark', version: '1', summary: 'Churn scores while customers act.', description: `Errors are problem JSON (RFC 9457). Every answer carries x-request-id. Roles, from least to most: ${ROLES.join(', ')}; without keys everyone may do everything.` },
    tags: [...new Set(routes.map(({ doc }) => doc.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: schemaOf(PROBLEM, 'output') },
      headers: {
        RequestId: { description: 'the request’s id: the client’s own x-request-id where it sent a sane one', schema: { type: 'string' } },
        RetryAfter: { description: 'seconds after which the same request may succeed', schema: { type: 'integer' } },
      },
      securitySchemes: { key: { type: 'http', scheme: 'bearer' }, header: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
    },
  };
}

function operation({ doc, role, path, method }: Route): Json {
  const problems = [...ALWAYS, ...(role === 'public' ? [] : GUARDED), ...(doc.problems ?? [])];
  return {
    operationId: `${method} ${path}`.replace(/\W+/g, '_').replace(/^_|_$/g, ''),
    summary: doc.summary, tags: [doc.tag], description: `${doc.description === undefined ? '' : `${doc.description} `}Role: ${role}.`,
    ...(role === 'public' ? {} : { security: [{}, { key: [] }, { header: [] }] }),
    parameters: [...parameters(doc.path, 'path'), ...parameters(doc.query, 'query')],
    ...(doc.body === undefined ? {} : { requestBody: { required: true, content: contentOf(doc.body, 'input') } }),
    responses: { ...Object.fromEntries([...new Set(problems)].map((status) => [status, problemAnswer(status)])), ...answers(doc) },
  };
}

const headers = { 'x-request-id': { $ref: '#/components/headers/RequestId' } };

function answers(doc: RouteDoc): Json {
  return Object.fromEntries(Object.entries(doc.answers).map(([status, { what, content }]) => {
    const own = content === undefined ? {} : contentOf(content, 'output');
    const problem = doc.problems?.includes(Number(status) as Problem['status']) === true ? problemContent : {};
    return [status, { description: what, headers, ...(content === undefined ? {} : { content: { ...own, ...problem } }) }];
  }));
}

const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const problemAnswer = (status: Problem['status']): Json => ({
  description: TITLES[status], content: problemContent,
  headers: RETRIED.has(status) ? { ...headers, 'retry-after': { $ref: '#/components/headers/RetryAfter' } } : headers,
});

function parameters(schemas: RouteDoc['path'], place: 'path' | 'query'): Json[] {
  return Object.entries(schemas ?? {}).map(([name, schema]) => {
    const { description, ...own } = schemaOf(schema, 'input');
    return { name, in: place, required: place === 'path' || !schema.safeParse(undefined).success, ...(description === undefined ? {} : { description }), schema: own };
  });
}

const contentOf = (content: Content, io: 'input' | 'output'): Json =>
  Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, schema === 'text' ? { schema: { type: 'string' } } : schema === 'bytes' ? {} : { schema: schemaOf(schema, io) }]));

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}

/** GET /openapi.json, of all routes and itself. */
export function routeOpenApi(others: readonly Route[]): Route {
  const route: Route = {
    method: 'get', path: '/openapi.json', role: 'public',
    doc: { summary: 'this document (OpenAPI 3.1)', tag: 'about', answers: { 200: { what: 'the document', content: { 'application/json': z.looseObject({ openapi: z.string() }) } } } },
    handle: (_res, _req, finish) => finish((res) => sendText(res, text, 'application/json')),
  };
  const text = JSON.stringify(openApi([...others, route]));
  return route;
}
