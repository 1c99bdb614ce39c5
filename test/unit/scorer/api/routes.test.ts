import t from 'tap';
import type { Guard, Role } from '../../../../scorer/api/route.js';
import { requestIds } from '../../../../scorer/api/request-id.js';
import { wantsHtml } from '../../../../scorer/api/root.js';
import { sendText } from '../../../../scorer/api/problem.js';
import { startTestScorer } from '../../../support/scorer.js';
import { connectSocket } from '../../../support/socket-client.js';

t.test('every answer carries a request id: the client’s where it is sane, else a new one', async (t) => {
  const { url } = await startTestScorer(t);
  const id = async (path: string, given?: string): Promise<string | null> => {
    const res = await fetch(url + path, given === undefined ? {} : { headers: { 'x-request-id': given } });
    await res.arrayBuffer();
    return res.headers.get('x-request-id');
  };
  t.equal(await id('/health/live', 'order-17:a/b'), 'order-17:a/b');
  const seen = new Set<string>();
  for (const path of ['/health/live', '/health', '/metrics', '/nothing', '/predict', '/customers/nobody', '/', '/ws'])
    for (const given of [undefined, 'has spaces', 'x'.repeat(129), '{"a":1}']) {
      const got = await id(path, given);
      t.match(got, /^[\w-]+-[0-9a-z]+$/, `${path} ${given}`);
      seen.add(got!);
    }
  t.equal(seen.size, 32, 'no two alike');
  const problem = await (await fetch(`${url}/customers/nobody`, { headers: { 'x-request-id': 'mine' } })).json();
  t.match(problem, { code: 'NOT_FOUND', request_id: 'mine' });
  t.not(requestIds()('').split('-')[0], requestIds()('').split('-')[0], 'another process begins differently');
});

t.test('a guard is asked before handlers and upgrades; what it refuses is not handled', async (t) => {
  const asked: { path: string; role: Role; key: string; query: string; address: string }[] = [];
  const guard: Guard = {
    admit({ route, header, query, address }) {
      asked.push({ path: route.path, role: route.role, key: header('x-key'), query: query(), address: address() });
      return header('x-key') === 'good' || route.role === 'public'
        ? { caller: { id: 'k1', name: 'me', role: 'admin' }, headers: ['ratelimit-remaining', '7'] }
        : { status: 401, code: 'INPUT_INVALID', detail: 'a key is needed', headers: ['www-authenticate', 'Bearer'] };
    },
  };
  const { url, port } = await startTestScorer(t, { guard });
  const refused = await fetch(`${url}/customers/C1?x=1`);
  t.match(await refused.json(), { status: 401, title: 'Unauthorized', detail: 'a key is needed' });
  t.equal(refused.headers.get('www-authenticate'), 'Bearer');
  t.match(asked, [{ path: '/customers/:id', role: 'reader', key: '', query: 'x=1', address: /127\.0\.0\.1|0000/ }]);
  const admitted = await fetch(`${url}/customers/C1`, { headers: { 'x-key': 'good' } });
  t.equal(admitted.status, 404, 'handled');
  t.equal(admitted.headers.get('ratelimit-remaining'), '7');
  t.equal((await fetch(`${url}/health/live`)).status, 200);
  t.match(await connectSocket(port), { status: 401 }, 'no upgrade');
});

t.test('GET / gives the page to browsers and routes to clients', async (t) => {
  const { url } = await startTestScorer(t, { page: (finish) => finish((res) => sendText(res, '<!doctype html>', 'text/html; charset=utf-8')) });
  const get = async (accept: string): Promise<string | null> => (await fetch(url, { headers: { accept } })).headers.get('content-type');
  t.equal(await get('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'), 'text/html; charset=utf-8');
  t.equal(await get('application/json'), 'application/json');
  t.equal(await get('*/*'), 'application/json');
  t.equal(wantsHtml('application/json, text/html'), false);
});
