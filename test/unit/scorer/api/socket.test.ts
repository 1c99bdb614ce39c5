import t from 'tap';
import { SOCKET_LIMITS, subscriptionOfMessage, subscriptionOfQuery } from '../../../../scorer/api/socket.js';
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
  const { port, hub } = await startTestScorer(t);
  const all = await open(port);
  const some = await open(port, '/ws?customer=a&customer=b&threshold=0.5');
  t.match(await all.until(() => true), { type: 'subscribed', customer: null, threshold: 0, sample: 1 });
  t.match(await some.until(() => true), { type: 'subscribed', customer: ['a', 'b'], threshold: 0.5 });
  hub.publish([scored('a', 1, 0.7), scored('b', 2, 0.2), scored('c', 3, 0.9), scored('a', 4, 0.5), { ...scored('a', 5, 0), prediction: null }]);
  const last = await some.until(({ prediction_id }) => prediction_id === '0-4');
  t.match(last, { type: 'score', seq: 2, customer_id: 'a', score: 0.5, decision: 'at_risk', model_version: 'v1', trigger: 'event', degraded: false, event_id: 'e-4', event_time: '2023-11-14T22:13:20.004Z' });
  await all.until(({ seq }) => seq === 4);

  some.send({ type: 'subscribe', customer: 'c' });
  t.match(await some.until(({ type }) => type === 'subscribed'), { customer: ['c'], threshold: 0 });
  all.send({ type: 'unsubscribe' });
  await all.until(({ type }) => type === 'unsubscribed');
  hub.publish([scored('a', 6, 0.9), scored('c', 7, 0.1)]);
  t.match(await some.until(isScore), { seq: 3, customer_id: 'c' });
  t.equal(all.received.length, 0);
  t.equal(hub.clients, 2);
  some.close();
  all.close();
  for (let i = 0; i < 100 && hub.clients > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(hub.clients, 0);
});

t.test('a wrong request is refused with its field', async (t) => {
  const { port } = await startTestScorer(t);
  for (const [path, field] of [['/ws?threshold=2', 'threshold'], ['/ws?threshold=x', 'threshold'], ['/ws?sample=0', 'sample'], ['/ws?costumer=a', 'costumer'], ['/ws?customer=', 'customer']] as const) {
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
  const many = Array.from({ length: SOCKET_LIMITS.customers_max + 1 }, (_, i) => `c${i}`);
  t.match(subscriptionOfMessage(JSON.stringify({ type: 'subscribe', customer: many })), { errors: [{ field: 'customer' }] });
  t.match(subscriptionOfQuery(`customer=${'x'.repeat(129)}`), { errors: [{}] });
  t.match(subscriptionOfQuery('sample=0.25&threshold=0'), { customers: null, sample: 0.25, threshold: 0 });
  t.equal(subscriptionOfMessage('{"type":"unsubscribe"}'), null);
});

t.test('a client that does not read gets each customer’s latest and a count of what it missed', async (t) => {
  const { port, hub } = await startTestScorer(t);
  const slow = await open(port);
  const quick = await open(port);
  await slow.until(() => true);
  await quick.until(() => true);
  slow.pause();
  const customers = 50;
  const rounds = 1500;
  let n = 0;
  for (let round = 0; round < rounds; round++) {
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
  t.equal(hub.counts.dropped, gap['dropped']);
  t.ok((gap['dropped'] as number) > 0 && (gap['dropped'] as number) < n);
  hub.publish([scored('c1', ++n, 0.5)]);
  t.equal((await slow.until(isScore))['seq'], n, 'then live again, without a hole in the numbers');
  await quick.until(({ seq }) => seq === n);
  slow.close();
  quick.close();
});
