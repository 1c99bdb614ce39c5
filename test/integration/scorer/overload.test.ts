import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { QUEUE_WAIT_MS_MAX } from '../../../scorer/api/score-queue.js';
import { Child } from '../../support/child.js';
import { until } from '../../support/wait.js';

t.setTimeout(120_000);
/** 100 rows a second are what the process can do. */
const ROW_MS = 10;
const CLIENTS = 300;
/** Refused clients come again when they are told to. */
const PAUSE_MS = 1000;
const LOAD_MS = 8000;
/** A tenth of what the last of all clients would wait where all of them are let in: a bucket of the histogram of answers. */
const WAIT_S_MAX = 0.5;

interface Answer { readonly status: number; readonly retryAfter: string | undefined; readonly ms: number }

/** A connection that asks one thing at a time, with as little work as there can be: hundreds of them share a core with the scorer. */
async function connectClient(port: number): Promise<{ ask(row: readonly number[]): Promise<Answer>; close(): void }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  let take: ((text: string) => void) | undefined;
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    const head = text.indexOf('\r\n\r\n');
    if (head < 0 || text.length < head + 4 + Number(/content-length: (\d+)/i.exec(text)![1])) return;
    const whole = text;
    text = '';
    take!(whole);
  });
  return {
    async ask(row) {
      const body = JSON.stringify(row);
      const startedAt = performance.now();
      const answer = await new Promise<string>((resolve, reject) => {
        take = resolve;
        socket.once('close', () => reject(new Error('the scorer closed the connection')));
        socket.write(`POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      });
      socket.removeAllListeners('close');
      return { status: Number(answer.slice(9, 12)), retryAfter: /\r\nretry-after: (\d+)/i.exec(answer)?.[1], ms: performance.now() - startedAt };
    },
    close: () => socket.destroy(),
  };
}
const quantile = (values: readonly number[], q: number): number => [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))]!;

t.test('many times more clients than can be served: some are refused at once, the others are served as quickly as ever, and it recovers', async (t) => {
  const scorer = new Child('slow-scorer-process.js', { ROW_MS: String(ROW_MS) });
  t.teardown(() => scorer.kill());
  scorer.start();
  await until('it listens', () => scorer.lines.length > 0, 60_000);
  const [url] = scorer.lines as [string];
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectClient(Number(new URL(url).port))));
  t.teardown(() => { for (const client of clients) client.close(); });
  const health = async (): Promise<any> => (await fetch(`${url}/health`)).json();
  t.equal((await health()).dependencies.requests.status, 'up');

  const answers: Answer[] = [];
  const end = Date.now() + LOAD_MS;
  const load = Promise.all(clients.map(async (client, n) => {
    await sleep((n * PAUSE_MS) / CLIENTS);
    for (let i = 0; Date.now() < end; i++) {
      const answer = await client.ask([n, i, ...Array<number>(18).fill(1)]);
      answers.push(answer);
      if (answer.status !== 200) await sleep(PAUSE_MS);
    }
  }));
  let overloaded: any;
  await until('overload is told', async () => { overloaded = await health(); return overloaded.dependencies.requests.status === 'degraded'; }, 30_000);
  await load;

  t.match(overloaded, { status: 'degraded', ready: true, dependencies: { requests: { detail: /503 with Retry-After/ } } });
  const wrong = answers.filter(({ status, retryAfter }) => !(status === 200 || (status === 503 && retryAfter === '1')));
  t.same(wrong.slice(0, 3), []);
  const [served, refused] = [200, 503].map((wanted) => answers.filter(({ status }) => status === wanted).map(({ ms }) => ms)) as [number[], number[]];
  t.ok(served.length > 50 && refused.length > 50, `${served.length} served, ${refused.length} refused`);
  for (const [what, all] of [['served', served], ['refused', refused]] as const) t.comment(`${what}, as clients see it: p50 ${quantile(all, 0.5).toFixed(0)} ms, p99 ${quantile(all, 0.99).toFixed(0)} ms`);
  t.ok(quantile(refused, 0.5) < (CLIENTS * ROW_MS) / 2, 'refusals are told before those who were served would have been without a bound');

  // By the scorer's own clock, and a tenth: a machine that is busy with other things delays the clients, and holds up whoever waits at that moment.
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counted = (name: string, label: string): number => Number(new RegExp(`^tidemark_scorer_http_seconds_${name}\\{(?=[^}]*path="/predict")[^}]*${label}[^}]*\\} (\\d+)`, 'm').exec(metrics)?.[1]);
  const [all, soon] = [counted('count', ''), counted('bucket', `le="${WAIT_S_MAX}"`)];
  t.equal(all, answers.length);
  t.ok(all - soon <= served.length / 10, `${all - soon} of ${served.length} that were served waited more than ${WAIT_S_MAX} s; the bound in the queue is ${QUEUE_WAIT_MS_MAX} ms, all ${CLIENTS} would take ${(CLIENTS * ROW_MS) / 1000} s`);

  t.equal((await clients[0]!.ask(Array<number>(20).fill(1))).status, 200, 'afterwards everyone is served');
  await until('it says so', async () => (await health()).dependencies.requests.status === 'up', 30_000);
  t.same(scorer.died, []);
});
