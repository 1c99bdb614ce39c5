import type { HttpResponse } from 'uWebSockets.js';
import { writePieces } from '../api/pieces.js';
import { beginAnswer, invalid, sendProblem, type Problem } from '../api/problem.js';
import type { Guard, Route } from '../api/route.js';
import type { LiveConnection } from './feed.js';
import { CLOSE } from './hub.js';
import type { Live } from './live.js';
import { wishFields } from './messages.js';
import { wishOfQuery } from './request.js';
import { identityOf, KEY_ENDED } from './socket.js';

/** A comment so often tells both sides, and what stands between them, that the stream is alive. */
const ALIVE_MS = 15_000;
/** After how long a client connects again, ms: spread, so that they do not all come at once. */
const RETRY_MS = { least: 1000, spread: 2000 };
/** Events that are written at once: what the socket holds beyond its bound is at most this. */
const BATCH_CHARACTERS = 4000;

const { since: _, ...streamFields } = wishFields;

/** GET /stream: live scores as server-sent events, with the conditions and bounds of /ws. */
export function routeStream(live: Live, guard: Guard | undefined): Route {
  const route: Route = {
    method: 'get', path: '/stream', role: 'reader',
    doc: {
      summary: 'live scores as server-sent events', tag: 'live', query: streamFields,
      description: 'The messages of /ws by event name; GET /asyncapi.json has their schemas. Last-Event-ID goes on from where an earlier stream ended.',
      answers: { 200: { what: 'events until the client leaves', content: { 'text/event-stream': 'text' } } }, problems: [400, 429, 503],
    },
    handle(res, req, finish, caller) {
      const refuse = (problem: Problem): void => finish((r) => sendProblem(r, problem));
      const wish = wishOfQuery(req.getQuery());
      if (wish === null) return refuse(invalid([{ field: 'subscribe', rule: 'a stream subscribes at once' }]));
      if ('errors' in wish) return refuse(invalid(wish.errors));
      const since = req.getHeader('last-event-id').slice(0, 64) || wish.since;
      const identity = identityOf(caller, guard, route, res, req);
      const refused = live.enter(identity, wish);
      if (refused !== undefined) return refuse(refused);
      const connection = begin(live, res, identity, { ...wish, since });
      connection.unwatch = guard?.watch?.(caller, () => connection.close(CLOSE.policy, KEY_ENDED));
    },
  };
  return route;
}

/** @property unwatch called when it has ended */
interface Stream extends LiveConnection { unwatch: (() => void) | undefined }

function begin(live: Live, res: HttpResponse, identity: string, wish: Parameters<Live['hub']['subscribe']>[2]): Stream {
  const { hub } = live;
  let open = true;
  /** True from a write that the socket did not take whole until it did. */
  let full = false;
  /** Events that leave together. */
  let batch = '';
  let joining = false;
  const write = (text: string): void => { if (!writePieces(res, Buffer.from(text))) full = true; };
  const flush = (): void => {
    const text = batch;
    batch = '';
    if (text !== '') write(text);
  };
  const end = (): void => {
    if (!open) return;
    open = false;
    clearInterval(alive);
    connection.unwatch?.();
    live.leave(identity);
    hub.leave(client);
  };
  const connection: Stream = {
    transport: 'sse',
    unwatch: undefined,
    send(text, event, id) {
      batch += `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`;
      if (!joining || batch.length >= BATCH_CHARACTERS) flush();
    },
    bufferedBytes: () => (full ? Number.POSITIVE_INFINITY : 0),
    together(sends) {
      joining = true;
      sends();
      joining = false;
      flush();
    },
    close() {
      if (!open) return;
      end();
      res.cork(() => void res.end());
    },
  };
  const client = hub.join(connection);
  const alive = setInterval(() => { if (!full) write(':\n\n'); }, ALIVE_MS).unref();
  res.onAborted(end);
  res.onWritable(() => {
    // What is buffered leaves with the next write, and only with one.
    full = false;
    write(':\n\n');
    if (!full) hub.drained(client);
    return !full;
  });
  res.cork(() => {
    beginAnswer(res, '200 OK').writeHeader('content-type', 'text/event-stream').writeHeader('cache-control', 'no-store').writeHeader('x-accel-buffering', 'no');
    res.write(`retry: ${RETRY_MS.least + Math.floor(Math.random() * RETRY_MS.spread)}\n\n`);
  });
  // uWebSockets has corked the turn of the request.
  setImmediate(() => { if (open) hub.subscribe(client, '', wish); });
  return connection;
}
