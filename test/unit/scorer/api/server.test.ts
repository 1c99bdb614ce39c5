import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { serve } from '../../../../scorer/api/server.js';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../schemas/features/derive.js';
import { logisticModel } from '../../../support/onnx.js';
import { scored, startTestScorer } from '../../../support/scorer.js';

const names = featureNames(view);
const model = logisticModel(view, 'v1', 1);
const row = names.map((_, i) => (i % 6 === 0 ? Number.NaN : i * 1.5 - 3));
const json = row.map((value) => (Number.isNaN(value) ? null : value));
const byName = Object.fromEntries(names.map((name, i) => [name, json[i]]));

interface Answer { status: number; type: string | null; body: Record<string, any>; headers: Headers }
async function call(url: string, body?: unknown, init: RequestInit = {}): Promise<Answer> {
  const given = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const res = await fetch(url, { ...given, ...init });
  const text = await res.text();
  return { status: res.status, type: res.headers.get('content-type'), body: text.startsWith('{') ? JSON.parse(text) : { text }, headers: res.headers };
}

t.test('before the first model: alive, not ready, and it says why', async (t) => {
  const { url } = await startTestScorer(t);
  t.equal((await call(`${url}/health/live`)).status, 200);
  t.match(await call(`${url}/health/ready`), { status: 503, body: { ready: false } });
  t.match(await call(`${url}/health`), { status: 503, body: { status: 'down', dependencies: { model: { status: 'down', detail: /tidemark train/ }, kafka: { status: 'up' } } } });
  const answer = await call(`${url}/predict`, json);
  t.match(answer, { status: 503, type: 'application/problem+json', body: { code: 'PART_NOT_READY' } });
  t.equal(answer.headers.get('retry-after'), '5');
});

t.test('with a model', async (t) => {
  const { url, port, holder, store, calls, live } = await startTestScorer(t);
  await holder.offer(model);

  t.test('a score by name, in order and as a bare array; null is missing', async (t) => {
    for (const body of [{ features: byName }, { features: json }, json]) {
      const { status, body: answer } = await call(`${url}/predict`, body);
      t.equal(status, 200);
      t.ok(Math.abs(answer['score'] - model.score(row)) < 1e-6);
      t.match(answer, { model_version: 'v1', view_version: 1, degraded: false, decision: answer['score'] >= 0.5 ? 'at_risk' : 'keep', scored_at: /^\d{4}-.*Z$/ });
    }
  });

  t.test('a score from the online store; the customer with its features', async (t) => {
    store.put(0, 5, [{ customerId: 'Zoë/1', value: scored('Zoë/1', 4, 0.25, row).prediction }]);
    t.match(await call(`${url}/predict`, { customer_id: 'Zoë/1' }), { status: 200, body: { customer_id: 'Zoë/1' } });
    t.ok(Math.abs((await call(`${url}/predict`, { customer_id: 'Zoë/1' })).body['score'] - model.score(row)) < 1e-6);
    const customer = await call(`${url}/customers/${encodeURIComponent('Zoë/1')}`);
    t.match(customer, { status: 200, body: { customer_id: 'Zoë/1', score: 0.25, prediction_id: '0-4', event_time: '2023-11-14T22:13:20.004Z', live: true } });
    t.strictSame(customer.body['features'], byName);
    t.match(await call(`${url}/predict`, { customer_id: 'nobody' }), { status: 404, type: 'application/problem+json', body: { code: 'NOT_FOUND', detail: /"nobody" is not in this scorer’s online store/ } });
    t.match(await call(`${url}/customers/nobody`), { status: 404, body: { status: 404 } });
    store.put(7, 5, [{ customerId: 'moved', value: scored('moved', 4, 0.25, row, 7).prediction }]);
    t.match(await call(`${url}/customers/moved`), { status: 200, body: { live: false } }, 'another process scores that partition now');
  });

  t.test('a bad body names the fields and the rules', async (t) => {
    const { [names[3]!]: _gone, ...without } = byName;
    const cases: [string, unknown, number, { field: string; rule: RegExp }[]][] = [
      ['unknown feature', { features: { ...byName, spend7d: 1 } }, 400, [{ field: 'features.spend7d', rule: /unknown field/ }]],
      ['absent feature', { features: without }, 400, [{ field: `features.${names[3]}`, rule: /a number .* or null where it is missing/ }]],
      ['text for a number', { features: { ...byName, tenure_days: '3' } }, 400, [{ field: 'features.tenure_days', rule: /a number/ }]],
      ['beyond float32', { features: { ...byName, tenure_days: 1e39 } }, 400, [{ field: 'features.tenure_days', rule: /float32/ }]],
      ['beyond float64', `{"features":${JSON.stringify(json).replace('-1.5', '1e999')}}`, 400, [{ field: 'features.1', rule: /float32/ }]],
      ['two faults', { features: { ...byName, tenure_days: '3', more: 1 } }, 400, [{ field: 'features.tenure_days', rule: /./ }, { field: 'features.more', rule: /./ }]],
      ['too few values', json.slice(1), 400, [{ field: 'features', rule: /20 values in view order: events_24h, / }]],
      ['too many values', { features: [...json, 1] }, 400, [{ field: 'features', rule: /20 values/ }]],
      ['a wrong value in order', { features: json.with(4, true as never) }, 400, [{ field: 'features.4', rule: /a number/ }]],
      ['no customer id', { customer_id: '' }, 400, [{ field: 'customer_id', rule: /1 to 128/ }]],
      ['a number for an id', { customer_id: 5 }, 400, [{ field: 'customer_id', rule: /a string/ }]],
      ['an id too long', { customer_id: 'x'.repeat(129) }, 400, [{ field: 'customer_id', rule: /128/ }]],
      ['both', { customer_id: 'a', features: json }, 400, [{ field: 'customer_id', rule: /not both/ }]],
      ['neither', {}, 400, [{ field: 'customer_id', rule: /a string/ }]],
      ['an unknown field', { customer_id: 'a', explained: true }, 400, [{ field: 'explained', rule: /unknown field/ }]],
      ['an unknown field beside features', { features: json, id: 1 }, 400, [{ field: 'id', rule: /unknown field/ }]],
      ['prototype', '{"customer_id":"a","__proto__":{"x":1}}', 400, [{ field: '__proto__', rule: /unknown field/ }]],
      ['prototype as a feature', `{"features":${JSON.stringify(byName).replace('{', '{"__proto__":1,')}}`, 400, [{ field: 'features.__proto__', rule: /unknown field/ }]],
      ['a number', 5, 400, [{ field: 'body', rule: /an object/ }]],
      ['null', null, 400, [{ field: 'body', rule: /an object/ }]],
      ['no JSON', '{"features":', 400, [{ field: 'body', rule: /JSON/ }]],
      ['empty', '', 400, [{ field: 'body', rule: /JSON/ }]],
      ['features null', { features: null }, 400, [{ field: 'features', rule: /./ }]],
    ];
    for (const [name, body, status, errors] of cases) {
      const answer = await call(`${url}/predict`, body);
      t.match(answer, { status, type: 'application/problem+json', body: { status, code: 'INPUT_INVALID', title: 'Bad Request', errors } }, name);
      t.equal(answer.body['errors']?.length, errors.length, `${name}: as many errors`);
    }
    const bytes = await fetch(`${url}/predict`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.from([0x22, 0xff, 0x22]) });
    t.equal(bytes.status, 400, 'no UTF-8');
  });

  t.test('method, path, media type and size', async (t) => {
    t.match(await call(`${url}/predict`, undefined, { method: 'GET' }), { status: 405, body: { detail: /takes POST, not GET/ } });
    t.equal((await call(`${url}/health`, undefined, { method: 'DELETE' })).headers.get('allow'), 'GET');
    t.match(await call(`${url}/nothing?x=1`), { status: 404, body: { code: 'NOT_FOUND', detail: /\/nothing is no route/ } });
    t.match(await call(`${url}/predict`, json, { headers: { 'content-type': 'text/plain' } }), { status: 415, body: { detail: /"text\/plain", expected application\/json/ } });
    t.match(await call(`${url}/predict`, json, { headers: { 'content-type': 'application/json; charset=utf-8' } }), { status: 200 });
    t.match(await call(`${url}/predict`, `"${'x'.repeat(70_000)}"`), { status: 413 }, 'declared');
    t.equal(await chunked(port, 70_000), 413, 'chunked');
    t.match(await call(`${url}/customers/%E0%A4%A`), { status: 400, body: { errors: [{ field: 'id' }] } });
    t.match(await call(`${url}/ws`), { status: 426 });
    t.match(await call(`${url}/`), { status: 200, body: { routes: [{ method: 'POST', path: '/predict' }] } });
  });

  t.test('requests that arrive together are scored together', async (t) => {
    calls.length = 0;
    t.equal(await together(port, 20), 20);
    t.equal(calls.reduce((sum, rows) => sum + rows, 0), 20);
    t.ok(calls.length < 20, `${calls.length} calls for 20 requests`);
  });

  t.test('a client that goes away while it waits harms nobody', async (t) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.equal((await call(`${url}/predict`, json)).status, 200);
  });

  t.test('health and metrics', async (t) => {
    t.match(await call(`${url}/health`), { status: 200, body: { status: 'up', ready: true, dependencies: { model: { status: 'up', version: 'v1', family: 'logistic_regression' }, store: { status: 'up' }, registry: { status: 'up' }, kafka: { lag: 3 } } } });
    await holder.offer(logisticModel(view, 'bad', 2, { test_outputs: [9, 9, 9, 9] }));
    t.match(await call(`${url}/health`), { status: 200, body: { status: 'degraded', dependencies: { model: { status: 'degraded', version: 'v1', refused: { version: 'bad', reason: /test row 0/ } } } } });
    const text = (await call(`${url}/metrics`)).body['text'] as string;
    for (const line of [
      /tidemark_scorer_model_info\{.*version="v1",family="logistic_regression".*\} 1\n/,
      /tidemark_scorer_lag_records\{.*partition="0".*\} 3\n/, /tidemark_scorer_models_refused_total\{.*\} 1\n/,
      /tidemark_scorer_http_seconds_count\{.*path="\/predict".*\} [1-9]/, /tidemark_scorer_live_sent_total\{.*\} 0\n/, /tidemark_scorer_model_call_rows_count\{.*source="api".*\} [1-9]/, /process_cpu_seconds_total/,
    ]) t.match(text, line);
  });

  t.test('a taken port is said', async (t) => {
    await t.rejects(serve({ view, live, log: { info: () => undefined } } as never, '127.0.0.1', port), { code: 'PORT_TAKEN', message: /127.0.0.1:\d+.*SCORER_PORT/ });
  });
});

/** @returns the status of a POST with a chunked body */
function chunked(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path: '/predict', method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } }, (res) => { res.resume(); resolve(res.statusCode!); });
    req.on('error', reject);
    for (let sent = 0; sent < bytes; sent += 10_000) req.write(' '.repeat(10_000));
    req.end('[]');
  });
}

/** Sends requests on as many open connections in one go and counts the answers with status 200. */
async function together(port: number, count: number): Promise<number> {
  const text = JSON.stringify(json);
  const sockets = await Promise.all(Array.from({ length: count }, () => new Promise<Socket>((resolve) => { const socket = connect(port, '127.0.0.1', () => resolve(socket)); })));
  const answers = sockets.map((socket) => new Promise<string>((resolve) => socket.setEncoding('utf8').once('data', resolve)));
  for (const socket of sockets) socket.write(`POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
  const good = (await Promise.all(answers)).filter((answer) => answer.startsWith('HTTP/1.1 200 OK')).length;
  for (const socket of sockets) socket.destroy();
  return good;
}
