import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { liveScores, type LiveScoresMessage, type SocketLike } from 'tidemark/client';
import { freePort } from '../../../../runtime/ports.js';
import { scored, startTestScorer } from '../../../support/scorer.js';
import { until } from '../../../support/wait.js';

t.test('the client goes on through a restart of the server, and through broken connections of one', async (t) => {
  // A port of its own choosing leaves uWebSockets' listener without SO_REUSEADDR: nobody could listen there for a minute.
  const first = await startTestScorer(t, { listenOn: await freePort() });
  first.commit([scored('a', 1, 0.9)]);
  const child = spawn(process.execPath, ['--experimental-websocket', '--no-warnings', fileURLToPath(new URL('../../../support/live-client-process.js', import.meta.url)), `ws://127.0.0.1:${first.port}/ws`, '{"customer":["a","b"]}'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => { child.kill(); await ended; });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const has = (fields: Record<string, unknown>) => (): boolean => lines.some((line) => Object.entries(fields).every(([name, value]) => line[name] === value));

  await until('it is live', has({ type: 'live', rows: 1 }));
  first.commit([scored('b', 2, 0.5), scored('c', 3, 0.5)]);
  await until('a score', has({ type: 'score', prediction_id: '0-2' }));

  // The server lets go of its clients, and commits before they are back: they miss nothing.
  first.live.hub.closeAll();
  first.commit([scored('a', 4, 0.8), scored('c', 5, 0.8)]);
  await until('what came meanwhile', has({ type: 'score', prediction_id: '0-4', seq: 1 }));
  t.ok(has({ type: 'subscribed', resumed: true })());
  t.notOk(has({ type: 'gap' })());

  lines.length = 0;
  await first.stop();
  await until('it waits', has({ state: 'waiting' }));
  const second = await startTestScorer(t, { listenOn: first.port });
  second.commit([scored('a', 6, 0.7)]);
  await until('it is live again', has({ type: 'live', rows: 1 }));
  t.ok(has({ type: 'subscribed', resumed: false })() && has({ type: 'gap', dropped: null })() && has({ type: 'snapshot', prediction_id: '0-6' })(), 'another run of the scorer: a notice and a snapshot');
  second.commit([scored('b', 7, 0.6)]);
  await until('and its scores', has({ type: 'score', prediction_id: '0-7', seq: 1 }));
});

/** A connection that the test answers for. */
class Wire implements SocketLike {
  static made: Wire[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: unknown }) => void = () => undefined;
  onclose: () => void = () => undefined;
  onerror: () => void = () => undefined;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  constructor(readonly url: string) { Wire.made.push(this); }
  send(text: string): void { this.sent.push(JSON.parse(text) as Record<string, unknown>); }
  close(): void { this.closed = true; }
  say(message: object): void { this.onmessage({ data: JSON.stringify(message) }); }
}

t.test('the client’s waits double, with jitter, and begin anew once it is subscribed; a silent connection is given up', async (t) => {
  const delays: number[] = [];
  const pending: (() => void)[] = [];
  const silence: (() => void)[] = [];
  const clock = { now: 0 };
  t.intercept(globalThis, 'setTimeout', { value: (run: () => void, ms: number) => { if (ms === 10_000) silence.push(run); else { delays.push(ms); pending.push(run); } return 0; } });
  t.intercept(globalThis, 'clearTimeout', { value: () => undefined });
  t.intercept(Date, 'now', { value: () => clock.now });
  const states: string[] = [];
  const got: LiveScoresMessage[] = [];
  const client = liveScores({
    url: 'ws://x/ws', subscription: { threshold: 0.5 }, WebSocket: Wire, random: () => 0, retryMs: { least: 100, most: 1000 }, silenceMs: 30_000,
    onMessage: (message) => got.push(message), onState: (state) => states.push(state),
  });
  const wire = (): Wire => Wire.made.at(-1)!;
  for (let i = 0; i < 6; i++) {
    wire().onclose();
    pending.pop()!();
  }
  t.strictSame(delays, [50, 100, 200, 400, 500, 500], 'half of 100, 200, …, at most of 1000');
  wire().onopen();
  wire().say({ type: 'subscribed' });
  wire().say({ type: 'score', id: 'r-7' });
  wire().onclose();
  t.equal(delays.at(-1), 50);
  pending.pop()!();
  wire().onopen();
  t.strictSame(wire().sent, [{ type: 'subscribe', threshold: 0.5, since: 'r-7' }]);
  t.equal(wire().url, 'ws://x/ws?subscribe=later');

  clock.now = 10_000;
  silence.pop()!();
  t.strictSame(wire().sent.at(-1), { type: 'ping' });
  clock.now = 40_000;
  silence.pop()!();
  t.ok(wire().closed);
  t.equal(states.at(-1), 'waiting');
  const stale = wire();
  pending.pop()!();
  stale.say({ type: 'score', id: 'r-9' });
  t.equal(got.length, 2, 'nothing is heard of a connection that was given up');
  client.subscribe({ customer: 'a' });
  wire().onopen();
  t.strictSame(wire().sent, [{ type: 'subscribe', customer: 'a' }], 'another subscription begins anew');
  client.close();
  wire().onclose();
  t.equal(pending.length, 0);
  t.equal(states.at(-1), 'closed');
});
