import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { seeded } from '../support/random.js';

/** The clients of the bench `live`, thousands in one process: as little work as shows what arrived, and when. */
export type ClientsTask = { do: 'watch'; port: number; clients: number; watched: number; customers: number } | { do: 'report'; expected: number };
export interface ClientsReport { readonly received: number; readonly gaps: number; readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>> }

const CONNECTING_MAX = 200;
const SETTLE_MS = 10_000;
const random = seeded(2);
const STAMP = '"event_id":"';
const sockets: Socket[] = [];
/** Called when a client has its snapshot. */
const live = new Map<Socket, () => void>();
let latencies: number[] = [];
let gaps = 0;

/** A text message of a client, masked by zeros. */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0x80 | 126, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

function take(socket: Socket, message: Buffer): void {
  const at = message.indexOf(STAMP);
  if (at > 0) {
    const from = at + STAMP.length;
    latencies.push(Number(process.hrtime.bigint() - BigInt(message.toString('latin1', from, message.indexOf(0x22, from)))) / 1e6);
  } else if (message.includes('"type":"live"')) {
    live.get(socket)?.();
    live.delete(socket);
  } else if (message.includes('"type":"gap"')) gaps++;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let rest: Buffer = Buffer.alloc(0);
    let upgraded = false;
    socket.write(`GET /ws?subscribe=later HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
    socket.on('error', reject).on('data', (bytes: Buffer) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      if (!upgraded) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!rest.toString('latin1', 0, 12).endsWith('101')) return reject(new Error(rest.toString()));
        rest = rest.subarray(end + 4);
        upgraded = true;
        resolve(socket);
      }
      while (rest.length >= 2) {
        const short = rest[1]! & 0x7f;
        const header = short < 126 ? 2 : 4;
        if (rest.length < header) return;
        const length = short < 126 ? short : rest.readUInt16BE(2);
        if (rest.length < header + length) return;
        if ((rest[0]! & 0x0f) === 9) socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
        else take(socket, rest.subarray(header, header + length));
        rest = rest.subarray(header + length);
      }
    });
  });
}

async function watch({ port, clients, watched, customers }: Extract<ClientsTask, { do: 'watch' }>): Promise<void> {
  for (let at = 0; at < clients; at += CONNECTING_MAX)
    await Promise.all(Array.from({ length: Math.min(CONNECTING_MAX, clients - at) }, async (_, i) => {
      const socket = (sockets[at + i] ??= await open(port));
      const begun = new Promise<void>((resolve) => live.set(socket, resolve));
      socket.write(frame(JSON.stringify({ type: 'subscribe', customer: Array.from({ length: watched }, () => `C${random.below(customers)}`), snapshot: 0 })));
      await begun;
    }));
  latencies = [];
  gaps = 0;
}

async function report(expected: number): Promise<ClientsReport> {
  for (const end = performance.now() + SETTLE_MS; latencies.length < expected && performance.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 20));
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2));
  return { received: sorted.length, gaps, latencyMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) } };
}

process.on('message', (task: ClientsTask) => void (task.do === 'watch' ? watch(task).then(() => ({})) : report(task.expected)).then((answer) => process.send!(answer)));
process.on('disconnect', () => process.exit(0));
