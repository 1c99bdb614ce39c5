import t from 'tap';
import type { Guard } from '../../../../scorer/api/route.js';
import { REQUEST_BOUNDS } from '../../../../scorer/live/messages.js';
import { requestOf, wishOfQuery } from '../../../../scorer/live/request.js';
import { SOCKET_LIMITS } from '../../../../scorer/live/socket.js';
import { until } from '../../../support/wait.js';
import { scored, startTestScorer } from '../../../support/scorer.js';
import { connectSocket, type Refused, type SocketClient } from '../../../support/socket-client.js';

async function open(port: number, path?: string): Promise<SocketClient> {
  const client = await connectSocket(port, path);
  if ('status' in client) throw new Error(`refused: ${client.status} ${client.body}`);
  return client;
}
const seqs = (messages: readonly Record<string, unknown>[]): unknown[] => messages.map(({ seq }) => seq);
const isScore = ({ type }: Record<string, unknown>): boolean => type === 'score';

t.test('scores arrive numbered, as the subscription wants them', async (t) => {
  const { port, live: { hub } } = await startTestScorer(t);
  const all = await open(port);
  const some = await open(port, '/ws?customer=a&customer=b&threshold=0.5');
  t.match(await all.until(() => true), { type: 'subscribed', customer: null, threshold: 0, sample: 1, crossing: null, resumed: false });
  t.match(await some.until(() => true), { type: 'subscribed', customer: ['a', 'b'], threshold: 0.5 });
  t.match(await some.until(() => true), { type: 'live', rows: 0 });
  hub.publish([scored('a', 1, 0.7), scored('b', 2, 0.2), scored('c', 3, 0.9), scored('a', 4, 0.5), { ...scored('a', 5, 0), prediction: null }]);
  const last = await some.until(({ prediction_id }) => prediction_id === '0-4');
  t.match(last, { type: 'score', seq: 2, customer_id: 'a', score: 0.5, decision: 'at_risk', model_version: 'v1', trigger: 'event', degraded: false, event_id: 'e-4', event_time: '2023-11-14T22:13:20.004Z', segments: ['channel=web', 'tenure=0-30'] });
  await all.until(({ seq }) => seq === 4);

  some.send({ type: 'subscribe', customer: 'c' });
  t.match(await some.until(({ type }) => type === 'subscribed'), { customer: ['c'], threshold: 0 });
  all.send({ type: 'unsubscribe' });
  await all.until(({ type }) => type === 'unsubscribed');
  hub.publish([scored('a', 6, 0.9), scored('c', 7, 0.1)]);
  t.match(await some.until(isScore), { seq: 3, customer_id: 'c' });
  t.equal(all.received.length, 0);
  t.match(hub.stats(), { clients: { websocket: 2, sse: 0 }, subscriptions: 1 });
  some.close();
  all.close();
  await until('both have left', () => hub.stats().clients.websocket === 0);
});

t.test('a snapshot first, then crossings; several subscriptions of a connection have names', async (t) => {
  const { port, commit, live } = await startTestScorer(t);
  commit([scored('a', 1, 0.9), scored('b', 2, 0.3), scored('c', 3, 0.6)]);
  const client = await open(port, '/ws?crossing=0.8&hysteresis=0.1&snapshot=5');
  t.match(await client.until(({ type }) => type === 'subscribed'), { crossing: 0.8, hysteresis: 0.1 });
  t.match(await client.until(() => true), { type: 'snapshot', customer_id: 'a', score: 0.9 });
  t.match(await client.until(() => true), { type: 'live', rows: 1 });
  client.send({ type: 'subscribe', subscription: 'watched', customer: ['b', 'c', 'x'], segment: ['channel=web', 'tenure=0-30'], model_version: 'v1' });
  t.match(await client.until(() => true), { type: 'subscribed', subscription: 'watched', segment: ['channel=web', 'tenure=0-30'], model_version: ['v1'] });
  t.strictSame([(await client.until(() => true))['customer_id'], (await client.until(() => true))['customer_id']], ['b', 'c']);
  t.match(await client.until(() => true), { type: 'live', subscription: 'watched', rows: 2 });
  for (const [n, id, score] of [[4, 'a', 0.75], [5, 'c', 0.95], [6, 'a', 0.69], [7, 'c', 0.71], [8, 'b', 0.1]] as const) commit([scored(id, n, score)]);
  const got: string[] = [];
  while (got.at(-1) !== 'watched 3 b') {
    const { subscription = '', seq, customer_id, crossed = '' } = await client.until(isScore);
    got.push([subscription, seq, customer_id, crossed].filter((part) => part !== '').join(' '));
  }
  t.strictSame(got.sort(), ['1 c up', '2 a down', 'watched 1 c', 'watched 2 c', 'watched 3 b']);

  for (let i = 2; i < SOCKET_LIMITS.subscriptions_max; i++) client.send({ type: 'subscribe', subscription: `s${i}`, customer: 'nobody' });
  client.send({ type: 'subscribe', subscription: 'one too many' });
  t.match(await client.until(({ type }) => type === 'error'), { problem: { status: 400 } });
  client.send({ type: 'unsubscribe', subscription: 'never begun' });
  t.match(await client.until(({ type }) => type === 'error'), { problem: { status: 404 } });
  client.send({ type: 'unsubscribe', subscription: 'watched' });
  t.match(await client.until(({ type }) => type === 'unsubscribed'), { subscription: 'watched' });
  client.send({ type: 'ping' });
  await client.until(({ type }) => type === 'pong');
  t.equal(live.hub.stats().subscriptions, SOCKET_LIMITS.subscriptions_max - 1);
  client.close();
});

t.test('places are bound, for all and for each caller; the scorer that ends sends its clients to another', async (t) => {
  const guard: Guard = { admit: (request) => ({ caller: { id: request.header('x-caller'), name: 'x', role: 'reader' } }) };
  const { port, live, stop, url } = await startTestScorer(t, { liveSettings: { LIVE_CLIENTS_MAX: 3, LIVE_CLIENTS_PER_CALLER_MAX: 2 }, guard });
  const as = async (caller: string): Promise<SocketClient | Refused> => connectSocket(port, '/ws?subscribe=later', { 'x-caller': caller });
  const first = (await as('a')) as SocketClient;
  const second = (await as('a')) as SocketClient;
  t.match(await as('a'), { status: 429 });
  t.match(await fetch(`${url}/stream`, { headers: { 'x-caller': 'a' } }), { status: 429 }, 'streams count with them');
  const third = (await as('b')) as SocketClient;
  t.match(await as('c'), { status: 503, body: /LIVE_CLIENTS_MAX/ });
  t.strictSame(live.refused, { all: 1, identity: 2, ending: 0 });
  first.close();
  await until('the first has left', () => live.hub.stats().clients.websocket === 2);
  const fourth = (await as('a')) as SocketClient;
  await stop();
  for (const client of [second, third, fourth]) t.equal(await client.closed, 1012);
});

t.test('what is open ends with its key', async (t) => {
  const ends: (() => void)[] = [];
  let unwatched = 0;
  const guard: Guard = { admit: () => ({ caller: { id: 'k1', name: 'x', role: 'reader' } }), watch: (_caller, end) => { ends.push(end); return () => { unwatched++; }; } };
  const { port, url } = await startTestScorer(t, { guard });
  const client = await open(port);
  const stream = await fetch(`${url}/stream`);
  for (const end of ends) end();
  t.equal(await client.closed, 1008);
  t.match(await stream.text(), /event: subscribed/, 'a stream ends in order');
  t.strictSame([ends.length, unwatched], [2, 2]);
});

t.test('a client that talks too much is sent away', async (t) => {
  const { port } = await startTestScorer(t);
  const client = await open(port);
  for (let i = 0; i < 3 * SOCKET_LIMITS.messages_per_s_max; i++) client.send({ type: 'ping' });
  t.equal(await client.closed, 1008);
});

t.test('permessage-deflate only where it is set', async (t) => {
  for (const LIVE_COMPRESSION of [false, true]) {
    const { port } = await startTestScorer(t, { liveSettings: { LIVE_COMPRESSION } });
    const client = (await connectSocket(port, '/ws', { 'sec-websocket-extensions': 'permessage-deflate' })) as SocketClient;
    t.equal(client.extensions.includes('permessage-deflate'), LIVE_COMPRESSION, client.extensions);
    await client.until(({ type }) => type === 'live');
    client.close();
  }
});

t.test('a wrong request is refused with its field', async (t) => {
  const { port } = await startTestScorer(t);
  for (const [path, field] of [['/ws?threshold=2', 'threshold'], ['/ws?segment=tenure=1-2', 'segment'], ['/ws?hysteresis=0.1', 'hysteresis'], ['/ws?crossing=0.1&hysteresis=0.2', 'hysteresis'], ['/ws?snapshot=1.5', 'snapshot'], ['/ws?subscribe=never', 'subscribe'], ['/ws?threshold=x', 'threshold'], ['/ws?sample=0', 'sample'], ['/ws?costumer=a', 'costumer'], ['/ws?customer=', 'customer']] as const) {
    const refused = (await connectSocket(port, path)) as Refused;
    t.equal(refused.status, 400, path);
    t.equal(JSON.parse(refused.body).errors[0].field.split('.')[0], field);
  }
  const client = await open(port);
  await client.until(() => true);
  for (const bad of ['no json', { type: 'dance' }, { type: 'subscribe', treshold: 1 }, { type: 'subscribe', customer: [] }, [1]]) {
    client.send(bad);
    t.match(await client.until(({ type }) => type === 'error'), { problem: { code: 'INPUT_INVALID', errors: [{}] } }, JSON.stringify(bad));
  }
  client.send({ type: 'subscribe', threshold: 0.9 });
  t.match(await client.until(({ type }) => type === 'subscribed'), { threshold: 0.9 }, 'and the connection goes on');
  client.close();
});

t.test('the limits of a subscription', async (t) => {
  const many = Array.from({ length: REQUEST_BOUNDS.customers_max + 1 }, (_, i) => `c${i}`);
  t.match(requestOf(JSON.stringify({ type: 'subscribe', customer: many })), { errors: [{ field: 'customer' }] });
  t.match(wishOfQuery(`customer=${'x'.repeat(129)}`), { errors: [{}] });
  t.match(wishOfQuery('sample=0.25&threshold=0'), { filter: { customers: null, sample: 0.25, threshold: 0 } });
  t.equal(wishOfQuery('subscribe=later'), null);
  t.strictSame(wishOfQuery('segment=channel=web&segment=tenure%3D0-30&since=5&crossing=0.8&hysteresis=0.2&customer=5&model_version=1'), {
    filter: { customers: new Set(['5']), channels: new Set(['channel=web']), tenures: new Set(['tenure=0-30']), modelVersions: new Set(['1']), threshold: 0, crossing: { up: 0.8, down: 0.8 - 0.2 }, sample: 1 }, since: '5', snapshotRows: 100,
  });
  t.strictSame(requestOf('{"type":"unsubscribe"}'), { type: 'unsubscribe', name: '' });
});

t.test('a client that does not read gets each customer’s latest and a count of what it missed', async (t) => {
  const { port, live: { hub } } = await startTestScorer(t);
  const slow = await open(port);
  const quick = await open(port);
  await slow.until(() => true);
  await quick.until(() => true);
  slow.pause();
  const customers = 50;
  let n = 0;
  for (let round = 0; round < 4000 && hub.counts.budget.dropped < 500; round++) {
    hub.publish(Array.from({ length: customers }, (_, c) => scored(`c${c}`, ++n, (round % 100) / 100)));
    await new Promise((resolve) => setImmediate(resolve));
    quick.received.splice(0, quick.received.length - 1);
  }
  slow.resume();
  const gap = await slow.until(({ type }) => type === 'gap');
  t.equal(gap['seq'], n, 'up to here');
  const rest: Record<string, unknown>[] = [];
  for (let i = 0; i < customers; i++) rest.push(await slow.until(isScore));
  t.equal(rest.at(-1)?.['seq'], n, 'the latest of all');
  t.equal(new Set(rest.map(({ customer_id }) => customer_id)).size, customers);
  t.strictSame(seqs(rest), Array.from({ length: customers }, (_, c) => n - customers + 1 + c));
  t.equal(hub.counts.budget.dropped, gap['dropped']);
  t.ok((gap['dropped'] as number) > 0 && (gap['dropped'] as number) < n);
  hub.publish([scored('c1', ++n, 0.5)]);
  t.equal((await slow.until(isScore))['seq'], n, 'then live again, without a hole in the numbers');
  await quick.until(({ seq }) => seq === n);
  slow.close();
  quick.close();
});
