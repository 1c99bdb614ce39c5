import t from 'tap';
import { startTestScorer } from '../../../support/scorer.js';

t.test('the document has every route with its answers; the page to try it needs nothing from elsewhere', async (t) => {
  const { url } = await startTestScorer(t);
  const doc = await (await fetch(`${url}/openapi.json`)).json() as any;
  t.match(doc, { openapi: '3.1.0', components: { schemas: { Problem: { type: 'object' } } } });
  const { routes } = await (await fetch(url, { headers: { accept: 'application/json' } })).json() as { routes: { method: string; path: string }[] };
  t.equal(new Set(routes.map(({ method, path }) => `${method} ${path}`)).size, routes.length, 'each once');
  for (const { method, path } of routes) {
    if (path === '/ws') continue;
    const operation = doc.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    t.match(operation, { summary: /./, responses: { 200: { description: /./ }, 500: { content: { 'application/problem+json': {} } } } }, `${method} ${path}`);
    t.same(operation.parameters.filter((parameter: { in: string }) => parameter.in === 'path').map(({ name }: { name: string }) => name), [...path.matchAll(/:(\w+)/g)].map(([, name]) => name));
  }
  t.match(doc.paths['/predict'].post.responses['503'].headers, { 'retry-after': {}, 'x-request-id': {} });
  const page = await fetch(`${url}/docs`);
  const html = await page.text();
  t.match(page.headers.get('content-type'), /text\/html/);
  t.match(page.headers.get('content-security-policy'), /default-src 'none'/);
  t.notMatch(html, /https?:\/\/|<script src|<link/);
});
