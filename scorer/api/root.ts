import { z } from 'zod';
import { sendJson } from './problem.js';
import { methodName, type Finish, type Route } from './route.js';

/** What GET / answers to those who want HTML. */
export type Page = (finish: Finish) => void;

/** Routes that are made after this one. */
const ELSEWHERE = [
  { method: 'GET', path: '/openapi.json', role: 'public', summary: 'this API as an OpenAPI document' },
  { method: 'GET', path: '/ws', role: 'reader', summary: 'live scores (WebSocket)' },
];

const list = z.object({ routes: z.array(z.object({ method: z.string(), path: z.string(), role: z.string(), summary: z.string() })) });

/** GET /: the page for browsers, the list of routes for everyone else. */
export function routeRoot(routes: readonly Route[], page?: Page): Route {
  const root: Route = {
    method: 'get', path: '/', role: 'public',
    doc: {
      summary: page === undefined ? 'the routes' : 'the live page, or the routes for those who do not ask for HTML', tag: 'about',
      answers: { 200: { what: 'routes', content: { 'application/json': list, ...(page === undefined ? {} : { 'text/html': 'text' as const }) } } },
    },
    handle(_res, req, finish) {
      if (page !== undefined && wantsHtml(req.getHeader('accept'))) return page(finish);
      finish((res) => sendJson(res, { routes: [...[...routes, root].map((route) => ({ method: methodName(route), path: route.path, role: route.role, summary: route.doc.summary })), ...ELSEWHERE] }));
    },
  };
  return root;
}

/** Browsers name text/html first; clients of an API name JSON, or anything. */
export function wantsHtml(accept: string): boolean {
  const html = accept.indexOf('text/html');
  const json = accept.indexOf('application/json');
  return html >= 0 && (json < 0 || html < json);
}
