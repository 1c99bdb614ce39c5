import { connect } from 'node:net';
import t from 'tap';
import { until } from '../../../support/wait.js';
import { scored, startTestScorer } from '../../../support/scorer.js';

interface Event { readonly event: string; readonly id?: string; readonly data: Record<string, unknown> }

/** A stream as its bytes come, so that a test can stop reading. */
function openStream(port: number, path: string, headers: Readonly<Record<string, string>> = {}) {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let head: string | undefined;
  const events: Event[] = [];
  socket.write([`GET ${path} HTTP/1.1`, 'Host: t', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n'));
  // Chunk by chunk: a size in hexadecimal, a line break, the bytes; the line break after them comes with the next chunk.
  let raw: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    raw = Buffer.concat([raw, bytes]);
    if (head === undefined) {
      const end = raw.indexOf('\r\n\r\n');
      if (end < 0) return;
      head = raw.toString('latin1', 0, end);
      raw = raw.subarray(end + 4);
    }
    for (;;) {
      const from = raw[0] === 13 ? 2 : 0;
      const line = raw.indexOf('\r\n', from);
      if (line < 0) break;
      const size = parseInt(raw.toString('latin1', from, line), 16);
      if (size === 0) break;
      if (!(size > 0)) throw new Error(`no chunk: ${raw.toString('latin1', 0, 50)}`);
      if (raw.length < line + 2 + size) break;
      text += raw.toString('utf8', line + 2, line + 2 + size);
      raw = raw.subarray(line + 2 + size);
    }
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(text.slice(0, end).split('\n').map((one) => [one.slice(0, one.indexOf(': ')), one.slice(one.indexOf(': ') + 2)]));
      text = text.slice(end + 2);
      if (fields['data'] !== undefined) events.push({ event: fields['event']!, ...(fields['id'] === undefined ? {} : { id: fields['id'] }), data: JSON.parse(fields['data']) as Record<string, unknown> });
    }
  });
  socket.on('error', () => undefined);
  return { events, head: () => head, socket, count: (name: string): number => events.filter(({ event }) => event === name).length };
}

t.test('server-sent events: the same conditions, snapshot first, ids to go on from', async (t) => {
  const { port, commit, live, url } = await startTestScorer(t);
  commit([scored('a', 1, 0.9), scored('b', 2, 0.4)]);
  const stream = openStream(port, '/stream?customer=a&customer=c');
  await until('the snapshot', () => stream.count('live') === 1);
  t.match(stream.head(), /200 OK[^]*content-type: text\/event-stream/i);
  commit([scored('c', 3, 0.2), scored('b', 4, 0.9), scored('a', 5, 0.8)]);
  await until('two scores', () => stream.count('score') === 2);
  t.match(stream.events, [
    { event: 'subscribed', data: { type: 'subscribed', customer: ['a', 'c'] } }, { event: 'snapshot', data: { customer_id: 'a', score: 0.9 } }, { event: 'live', data: { rows: 1 } },
    { event: 'score', data: { seq: 1, customer_id: 'c' } }, { event: 'score', data: { seq: 2, customer_id: 'a', score: 0.8 } },
  ]);
  const last = stream.events.at(-1)!;
  t.equal(last.id, last.data['id']);
  stream.socket.destroy();
  await until('it has left', () => live.hub.stats().clients.sse === 0);
  commit([scored('a', 6, 0.7)]);
  const again = openStream(port, '/stream?customer=a&customer=c', { 'Last-Event-ID': last.id! });
  await until('what came meanwhile', () => again.count('score') === 1);
  t.match(again.events, [{ event: 'subscribed', data: { resumed: true } }, { event: 'score', data: { customer_id: 'a', score: 0.7 } }]);
  again.socket.destroy();

  t.match(await fetch(`${url}/stream?threshold=7`), { status: 400 });
  t.match(await fetch(`${url}/stream?subscribe=later`), { status: 400 });
});

t.test('a stream that is not read holds few bytes, then goes on with the latest and a count', async (t) => {
  const { port, live: { hub }, stop } = await startTestScorer(t, { liveSettings: { LIVE_WAITING_BYTES: 20_000 } });
  const stream = openStream(port, '/stream');
  await until('it begins', () => stream.count('live') === 1);
  stream.socket.pause();
  let n = 0;
  for (let round = 0; round < 4000 && hub.counts.budget.dropped < 500; round++) {
    hub.publish(Array.from({ length: 50 }, (_, c) => scored(`c${c}`, ++n, 0.5)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(hub.counts.budget.bytes > 0 && hub.counts.budget.bytes <= 20_000, `${hub.counts.budget.bytes} bytes wait`);
  stream.socket.resume();
  await until('the latest', () => stream.events.at(-1)?.data['seq'] === n);
  const dropped = stream.events.filter(({ event }) => event === 'gap').reduce((sum, { data }) => sum + (data['dropped'] as number), 0);
  t.equal(stream.count('score') + dropped, n, `${dropped} left out`);
  t.ok(dropped > 0);
  hub.publish([scored('c1', ++n, 0.5)]);
  await until('live again', () => stream.events.at(-1)?.data['seq'] === n);
  const ended = new Promise((resolve) => stream.socket.once('close', resolve));
  await stop();
  await ended;
});
