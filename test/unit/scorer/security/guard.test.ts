import t from 'tap';
import { changeKeyFile } from '../../../../scorer/security/key-file.js';
import { KEY_ROLES, mayUse, type Role } from '../../../../scorer/security/core/roles.js';
import { newKey } from '../../../../scorer/security/new-key.js';
import { bearer, rawRequest, startSecuredScorer, upgrade } from '../../../support/security.js';
import { until } from '../../../support/wait.js';

interface Listed { method: string; path: string; role: Role }
const routesOf = async (url: string): Promise<Listed[]> => ((await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as { routes: Listed[] }).routes;
const fetchRoute = ({ method, path }: Listed, url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url + path.replace(/:\w+/g, 'x').replace('*', 'x'), { method, ...init });

t.test('each route takes the keys of its role and above, and no others', async (t) => {
  const scorer = await startSecuredScorer(t, {}, true);
  const routes = (await routesOf(scorer.url)).filter(({ path }) => path !== '/ws');
  t.ok(routes.length >= 7);
  for (const route of routes) {
    const nobody = await fetchRoute(route, scorer.url);
    const body = await nobody.text();
    t.equal(nobody.status === 401, route.role !== 'public', `${route.path} without a key: ${nobody.status}`);
    if (nobody.status === 401) {
      t.match(JSON.parse(body), { code: 'UNAUTHENTICATED', detail: /Authorization: Bearer/ });
      t.equal(nobody.headers.get('www-authenticate'), 'Bearer realm="tidemark"');
    }
    for (const role of KEY_ROLES) {
      const { status, body: rest } = await fetchRoute(route, scorer.url, bearer(scorer.keys[role]));
      await rest?.cancel();
      t.equal(status === 403, !mayUse(role, route.role), `${route.path} with the role ${role}: ${status}`);
      t.not(status, 401);
    }
  }
  t.match(await scorer.metric('tidemark_scorer_refused_total'), { unauthenticated: Number, forbidden: Number });
  t.equal(Object.keys(await scorer.metric('tidemark_scorer_key_requests_total')).length, 4, 'requests are counted by the id of their key');
});

t.test('where a key may stand, and where it may not', async (t) => {
  const { url, port, keys, logged } = await startSecuredScorer(t, {}, true);
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> => (await fetch(url + path, { headers })).status;
  t.equal(await status('/customers/C1', { authorization: `Bearer ${keys.reader}` }), 404);
  t.equal(await status('/customers/C1', { 'x-api-key': keys.reader }), 404);
  t.equal(await status(`/customers/C1?key=${keys.reader}&api_key=${keys.reader}&access_token=${keys.reader}`), 401, 'not in the address');
  t.equal(await status('/customers/C1', { cookie: `key=${keys.reader}` }), 401);
  t.equal(await status('/customers/C1', { authorization: `Basic ${Buffer.from(`x:${keys.reader}`).toString('base64')}` }), 401);
  const wrong = await fetch(`${url}/customers/C1`, bearer(newKey().text));
  t.equal(wrong.status, 401);
  t.match(wrong.headers.get('www-authenticate'), /invalid_token/);

  t.match(await upgrade(port, {}), { status: 401 });
  for (const headers of [{ authorization: `Bearer ${keys.reader}` }, { 'x-api-key': keys.reader }]) {
    const { status: opened, socket } = await upgrade(port, headers);
    t.equal(opened, 101);
    socket?.destroy();
  }
  const opened = await upgrade(port, { 'sec-websocket-protocol': `tidemark.v1, tidemark.key.${keys.reader}` });
  t.match(opened, { status: 101, protocol: 'tidemark.v1' }, 'the key does not go back');
  opened.socket?.destroy();
  t.match(await upgrade(port, { 'sec-websocket-protocol': `tidemark.v1, tidemark.key.${newKey().text}` }), { status: 401 });
  for (const key of Object.values(keys)) t.notOk(logged.join('').includes(key.slice(-43)), 'no key in the log');
  t.ok(logged.some((line) => line.includes('"event":"request_refused"')));
});

t.test('keys come, go and expire while the scorer runs', async (t) => {
  const { url, port, keysFile } = await startSecuredScorer(t, {}, false);
  const status = async (key?: string): Promise<number> => (await fetch(`${url}/customers/C1`, key === undefined ? {} : bearer(key))).status;
  t.equal(await status(), 404, 'without keys nobody is asked for one');
  const early = await upgrade(port, {});
  let earlyClosed = false;
  early.socket!.on('close', () => { earlyClosed = true; }).on('error', () => undefined).resume();
  const made = newKey();
  const record = { id: made.id, hash: made.hash, name: 'late', role: 'reader' as const, createdAt: Date.now(), expiresAt: null, revokedAt: null, replacedBy: null };
  await changeKeyFile(keysFile, Date.now(), () => [record]);
  await until('the first key locks the door', async () => (await status()) === 401);
  await until('what was open without a key is closed', () => earlyClosed);
  t.equal(await status(made.text), 404);
  const open = await upgrade(port, { 'x-api-key': made.text });
  let closed = false;
  let last = '';
  open.socket!.on('data', (data: Buffer) => { last = data.toString('latin1'); }).on('close', () => { closed = true; }).on('error', () => undefined);
  await changeKeyFile(keysFile, Date.now(), () => [{ ...record, revokedAt: Date.now() }]);
  await until('it is revoked', async () => (await status(made.text)) === 401);
  await until('its WebSocket is closed', () => closed);
  t.match(last, /the key may not be used any more/);
});

t.test('limits by key and by address', async (t) => {
  const { url, keys, metric } = await startSecuredScorer(t, { SCORER_KEY_RATE_PER_S: '0.01', SCORER_KEY_BURST: '3', SCORER_ADDRESS_RATE_PER_S: '0.01', SCORER_ADDRESS_BURST: '6', SCORER_TRUSTED_PROXIES: '127.0.0.1' }, true);
  const ask = (key: string, from: string): Promise<Response> => fetch(`${url}/customers/C1`, { headers: { 'x-api-key': key, 'x-forwarded-for': from } });
  const first = await ask(keys.reader, '9.9.9.1');
  t.equal(first.status, 404);
  t.equal(first.headers.get('ratelimit-policy'), '"address";q=6;w=600, "key";q=3;w=300');
  t.match(first.headers.get('ratelimit'), /^"address";r=5;t=\d+, "key";r=2;t=\d+$/);
  t.same([(await ask(keys.reader, '9.9.9.1')).status, (await ask(keys.reader, '9.9.9.2')).status], [404, 404]);
  const over = await ask(keys.reader, '9.9.9.3');
  t.equal(over.status, 429);
  t.match(await over.json(), { code: 'RATE_LIMITED', detail: /this key/ });
  t.ok(Number(over.headers.get('retry-after')) > 90 && Number(over.headers.get('retry-after')) <= 100, 'until the next one');
  t.match(over.headers.get('ratelimit'), /"key";r=0/);
  t.equal((await ask(keys.scorer, '9.9.9.3')).status, 404, 'another key has its own');

  const statuses: number[] = [];
  for (let i = 0; i < 8; i++) statuses.push((await ask(newKey().text, '2001:db8::1')).status);
  t.same(statuses, [...Array(6).fill(401), 429, 429], 'who guesses keys is slowed down by address');
  t.equal((await ask(newKey().text, '2001:db8::ffff')).status, 429, 'all of a /64 is one');
  t.equal((await ask(newKey().text, '2001:db8:0:1::1')).status, 401);
  t.equal((await fetch(`${url}/health/live`)).status, 200, 'probes are not counted');
  t.match(await metric('tidemark_scorer_refused_total'), { key_rate: 1, address_rate: 3 });
  t.match(await metric('tidemark_scorer_rate_buckets'), { key: 2, address: 5 });
});

t.test('pages of other origins', async (t) => {
  const closed = await startSecuredScorer(t, {}, false);
  const set = await startSecuredScorer(t, { SCORER_CORS_ORIGINS: 'https://shop.example' }, true);
  const page = { origin: 'https://shop.example' };
  const preflight = (url: string, headers: Record<string, string>): Promise<Response> => fetch(`${url}/predict`, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST', ...headers } });

  t.equal((await preflight(closed.url, page)).status, 405, 'off unless set');
  t.equal((await fetch(`${closed.url}/health`, { headers: page })).headers.get('access-control-allow-origin'), null);
  t.match(await upgrade(closed.port, { origin: 'https://evil.example' }), { status: 403 }, 'a WebSocket is refused as well');
  t.match(await upgrade(closed.port, { origin: 'http://evil.example', host: 'evil.example' }), { status: 403 }, 'and a name that was pointed here');
  const own = await upgrade(closed.port, { origin: `http://127.0.0.1:${closed.port}` });
  t.match(own, { status: 101 }, 'its own page may');
  own.socket?.destroy();

  const answer = await preflight(set.url, page);
  t.equal(answer.status, 204);
  t.match(Object.fromEntries(answer.headers), { 'access-control-allow-origin': 'https://shop.example', 'access-control-allow-headers': /x-api-key/, 'access-control-allow-methods': /POST/, vary: 'origin' });
  t.equal((await preflight(set.url, { origin: 'https://evil.example' })).status, 403);
  const refused = await fetch(`${set.url}/customers/C1`, { headers: page });
  t.equal(refused.status, 401);
  t.equal(refused.headers.get('access-control-allow-origin'), 'https://shop.example', 'a page may read why it was refused');
  const opened = await upgrade(set.port, { ...page, 'sec-websocket-protocol': `tidemark.v1, tidemark.key.${set.keys.reader}` });
  t.match(opened, { status: 101 });
  opened.socket?.destroy();
  t.match(await upgrade(set.port, { origin: 'https://evil.example', 'sec-websocket-protocol': `tidemark.v1, tidemark.key.${set.keys.reader}` }), { status: 403 }, 'with a key too');
});

t.test('headers of every answer', async (t) => {
  const { url, port, keys } = await startSecuredScorer(t, {}, true);
  const answers = [
    await fetch(`${url}/health`), await fetch(`${url}/nothing`), await fetch(`${url}/predict`), await fetch(`${url}/customers/C1`),
    await fetch(`${url}/customers/C1`, bearer(keys.reader)), await fetch(`${url}/predict`, { method: 'POST', ...bearer(keys.reader) }), await fetch(`${url}/ws`),
  ];
  t.same(answers.map(({ status }) => status), [503, 404, 405, 401, 404, 403, 426]);
  for (const { url: of, headers } of answers) {
    t.equal(headers.get('x-content-type-options'), 'nosniff', of);
    t.equal(headers.get('strict-transport-security'), null, 'not without TLS');
    t.ok(headers.get('x-request-id'));
  }
  for (const { path } of await routesOf(url)) {
    const answer = await fetch(url + path.replace(/:\w+/g, 'x'), { headers: { accept: 'text/html', 'x-api-key': keys.admin } });
    await answer.body?.cancel();
    if (!/text\/html/.test(answer.headers.get('content-type') ?? '')) continue;
    t.match(answer.headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/, `${path} is a page`);
  }
  t.match(await rawRequest(port, 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'), /nosniff/);
});

t.test('what clients write breaks no header and no line of the log', async (t) => {
  const { port, logged, keys } = await startSecuredScorer(t, {}, true);
  const evil = ['a%0d%0aset-cookie:%20x=1', 'a%0aset-cookie:%20x=1', '%00%01%1b[31m', '%e2%80%a8%e2%80%ae', '%ff%fe', '%F0%9F%98%80'];
  for (const id of evil) {
    const answer = await rawRequest(port, `GET /customers/${id} HTTP/1.1\r\nhost: x\r\nx-api-key: ${keys.reader}\r\nx-request-id: ${id}\r\n\r\n`);
    t.match(answer, /^HTTP\/1.1 40[04] /, id);
    t.notMatch(answer.split('\r\n\r\n')[0], /set-cookie|\u001b/i, 'no header of theirs');
    JSON.parse(answer.split('\r\n\r\n')[1]!);
  }
  for (const name of ['x-request-id', 'x-api-key', 'authorization', 'origin', 'sec-websocket-protocol', 'x-forwarded-for', 'host', 'accept', 'content-type'])
    for (const value of ['é\u0080\u00ff', 'x'.repeat(3000), '"}\\n{"event":"forged"}', '%0d%0aset-cookie: x=1']) {
      const answer = await rawRequest(port, Buffer.from(`GET /customers/C1 HTTP/1.1\r\nhost: x\r\n${name}: ${value}\r\nconnection: close\r\n\r\n`, 'latin1'));
      t.match(answer, /^HTTP\/1.1 [45]\d\d /, `${name}: ${JSON.stringify(value).slice(0, 40)}`);
      t.notMatch(answer.split('\r\n\r\n')[0], /set-cookie|forged|\u001b/i);
    }
  for (const text of logged) {
    t.equal(text.trimEnd().split('\n').length, 1);
    t.notMatch((JSON.parse(text) as { event: string }).event, /forged/);
  }
});
