import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../runtime/paths.js';
import { beginAnswer } from './problem.js';
import type { Route } from './route.js';

/** GET /docs: a page of its own, without anything from elsewhere, that shows the routes and sends requests to them. */
export function routeDocsPage(): Route {
  const html = readFileSync(join(PROJECT_ROOT, 'scorer', 'api', 'static', 'docs.html'), 'utf8');
  return {
    method: 'get', path: '/docs', role: 'public',
    doc: { summary: 'a page to try the API', tag: 'about', answers: { 200: { what: 'HTML', content: { 'text/html': 'text' } } } },
    handle: (_res, _req, finish) => finish((res) => void beginAnswer(res, '200 OK')
      .writeHeader('content-type', 'text/html; charset=utf-8')
      .writeHeader('content-security-policy', "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
      .writeHeader('x-content-type-options', 'nosniff').writeHeader('referrer-policy', 'no-referrer').end(html)),
  };
}
