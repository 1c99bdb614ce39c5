import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';

/** A WebSocket client of a few lines over Node's own socket, so that a test can stop reading and see what a server does. */
export interface SocketClient {
  /** Messages received and not yet taken, parsed. */
  readonly received: Record<string, unknown>[];
  send(message: unknown): void;
  /** Resolves when a message fits, taking it and all before it from `received`. */
  until(fits: (message: Record<string, unknown>) => boolean, withinMs?: number): Promise<Record<string, unknown>>;
  /** Stops and resumes reading from the socket. */
  pause(): void;
  resume(): void;
  /** The close frame's code; undefined where the connection ended without one. */
  readonly closed: Promise<number | undefined>;
  /** What the server agreed to of the extensions that were asked for. */
  readonly extensions: string;
  close(): void;
}

export interface Refused {
  readonly status: number;
  readonly body: string;
}

/** @returns the client, or the HTTP answer of a server that refuses the upgrade */
export function connectSocket(port: number, path = '/ws', headers: Readonly<Record<string, string>> = {}): Promise<SocketClient | Refused> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'), ...headers } });
    req.on('upgrade', (res, socket, head) => resolve(clientOf(socket as Socket, head, res.headers['sec-websocket-extensions'] ?? '')));
    req.on('response', (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (piece: string) => { body += piece; }).on('end', () => resolve({ status: res.statusCode ?? 0, body }));
    });
    req.on('error', reject);
    req.end();
  });
}

function clientOf(socket: Socket, head: Buffer, extensions: string): SocketClient {
  const received: Record<string, unknown>[] = [];
  let waiting: (() => void)[] = [];
  let rest: Buffer = head;
  let code: number | undefined;
  let end!: (code: number | undefined) => void;
  const closed = new Promise<number | undefined>((resolve) => { end = resolve; });
  const over = (): void => end(code);

  const take = (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk]);
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      rest = rest.subarray(frame.end);
      if (frame.opcode === 1) received.push(JSON.parse(frame.payload.toString('utf8')) as Record<string, unknown>);
      if (frame.opcode === 8) code = frame.payload.readUInt16BE(0);
      if (frame.opcode === 9) socket.write(masked(10, frame.payload));
    }
    const listeners = waiting;
    waiting = [];
    for (const listener of listeners) listener();
  };
  socket.on('data', take).on('close', over).on('error', over);
  take(Buffer.alloc(0));

  return {
    received, closed, extensions,
    send: (message) => void socket.write(masked(1, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)))),
    async until(fits, withinMs = 60_000) {
      const end = Date.now() + withinMs;
      for (;;) {
        for (let message = received.shift(); message !== undefined; message = received.shift()) if (fits(message)) return message;
        const left = end - Date.now();
        if (left <= 0) throw new Error(`no fitting message within ${withinMs} ms`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          waiting.push(() => { clearTimeout(timer); resolve(); });
        });
      }
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  };
}

/** A message as permessage-deflate sends it, without the context of those before. */
const inflate = (payload: Buffer): Buffer => inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: constants.Z_SYNC_FLUSH });

function frameOf(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const header = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < header) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < header + length) return undefined;
  const payload = bytes.subarray(header, header + length);
  return { opcode: bytes[0]! & 0x0f, payload: (bytes[0]! & 0x40) === 0 ? payload : inflate(payload), end: header + length };
}

function masked(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const header = payload.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | payload.length]) : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)]);
}
