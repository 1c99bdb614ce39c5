import uws, { type HttpRequest, type TemplatedApp, type us_socket_context_t, type WebSocket } from 'uWebSockets.js';
import { admit, guardRequest, tag } from '../api/admit.js';
import { invalid, isProblem, problemJson, sendProblem, type Problem, type TaggedResponse } from '../api/problem.js';
import type { Caller, Guard, Route } from '../api/route.js';
import { chosenProtocol } from '../security/core/presented.js';
import type { LiveConnection } from './feed.js';
import { CLOSE, type LiveClient, type Wish } from './hub.js';
import { CROSSINGS_FULL, type Live } from './live.js';
import { requestOf, wishOfQuery } from './request.js';

export const SOCKET_LIMITS = {
  message_bytes_max: 64 * 1024,
  messages_per_s_max: 50,
  subscriptions_max: 8,
  /** A connection that neither sends nor answers a ping for so long is closed. */
  idle_s: 60,
  /** Above the hub's own bound, which acts first. */
  backpressure_bytes_max: 1024 * 1024,
} as const;

interface Session {
  readonly identity: string;
  readonly caller: Caller | undefined;
  /** What the query string asked for; null: nothing yet. */
  readonly wish: Wish | null;
  client?: LiveClient;
  unwatch?: (() => void) | undefined;
  second: number;
  messages: number;
}
type Socket = WebSocket<Session>;

const tooMany: Problem = { status: 400, code: 'INPUT_INVALID', detail: `a connection has at most ${SOCKET_LIMITS.subscriptions_max} subscriptions: unsubscribe from one` };
const unknown = (name: string): Problem => ({ status: 404, code: 'NOT_FOUND', detail: `there is no subscription ${JSON.stringify(name)} to end` });
/** Why a connection ends whose caller would not be let in any more. */
export const KEY_ENDED = 'the key may not be used any more';
const errorText = (problem: Problem): string => `{"type":"error","problem":${problemJson(problem)}}`;

/** Live scores at /ws. */
export function routeSocket(app: TemplatedApp, live: Live, guard: Guard | undefined): void {
  const { hub } = live;

  /** An answer; one that asks on without reading the answers is sent away. */
  function say(ws: Socket, client: LiveClient, text: string): void {
    if (!hub.notify(client, text)) ws.end(CLOSE.policy, 'answers are not read');
  }
  function subscribe(ws: Socket, client: LiveClient, name: string, wish: Wish): void {
    if (!client.feeds.has(name) && client.feeds.size >= SOCKET_LIMITS.subscriptions_max) return say(ws, client, errorText(tooMany));
    if (!hub.subscribe(client, name, wish)) say(ws, client, errorText(CROSSINGS_FULL));
  }
  /** @returns false for a client that talks too much */
  function hasTurn(session: Session): boolean {
    const second = Math.floor(performance.now() / 1000);
    session.messages = session.second === second ? session.messages + 1 : 1;
    session.second = second;
    return session.messages <= SOCKET_LIMITS.messages_per_s_max;
  }

  app.ws<Session>('/ws', {
    maxPayloadLength: SOCKET_LIMITS.message_bytes_max,
    maxBackpressure: SOCKET_LIMITS.backpressure_bytes_max,
    idleTimeout: SOCKET_LIMITS.idle_s,
    sendPingsAutomatically: true,
    compression: live.compression ? uws.SHARED_COMPRESSOR : uws.DISABLED,
    upgrade: (res, req, context) => upgrade(res, req, context, live, guard),
    open(ws) {
      const session = ws.getUserData();
      session.client = hub.join(connectionOf(ws, live.compression));
      session.unwatch = guard?.watch?.(session.caller, () => ws.end(CLOSE.policy, KEY_ENDED));
      if (session.wish !== null) hub.subscribe(session.client, '', session.wish);
    },
    message(ws, bytes) {
      const session = ws.getUserData();
      const { client } = session;
      if (client === undefined) return;
      if (!hasTurn(session)) return void ws.end(CLOSE.policy, `more than ${SOCKET_LIMITS.messages_per_s_max} messages a second`);
      const asked = requestOf(Buffer.from(bytes).toString('utf8'));
      if ('errors' in asked) return say(ws, client, errorText(invalid(asked.errors)));
      if (asked.type === 'ping') return say(ws, client, '{"type":"pong"}');
      if (asked.type === 'subscribe') return subscribe(ws, client, asked.name, asked.wish);
      const ended = hub.unsubscribe(client, asked.name);
      say(ws, client, ended ? JSON.stringify({ type: 'unsubscribed', ...(asked.name === '' ? {} : { subscription: asked.name }) }) : errorText(unknown(asked.name)));
    },
    drain(ws) {
      const { client } = ws.getUserData();
      if (client !== undefined) hub.drained(client);
    },
    close(ws) {
      const { client, identity, unwatch } = ws.getUserData();
      unwatch?.();
      live.leave(identity);
      if (client !== undefined) hub.leave(client);
    },
  });
  app.any('/ws', (res: TaggedResponse, req) => {
    tag(res, req, guard);
    sendProblem(res, { status: 426, code: 'INPUT_INVALID', detail: '/ws speaks WebSocket: connect with ws://' });
  });
}

/** What may upgrade to it. */
const SOCKET_ROUTE = { method: 'get', path: '/ws', role: 'reader' } as const;

function upgrade(res: TaggedResponse, req: HttpRequest, context: us_socket_context_t, live: Live, guard: Guard | undefined): void {
  tag(res, req, guard);
  const admission = admit(guard, SOCKET_ROUTE, res, req);
  if (isProblem(admission)) return sendProblem(res, admission);
  const wish = wishOfQuery(req.getQuery());
  if (wish !== null && 'errors' in wish) return sendProblem(res, invalid(wish.errors));
  const identity = identityOf(admission.caller, guard, SOCKET_ROUTE, res, req);
  const refused = live.enter(identity, wish);
  if (refused !== undefined) return sendProblem(res, refused);
  res.upgrade<Session>({ identity, caller: admission.caller, wish, second: 0, messages: 0 },
    req.getHeader('sec-websocket-key'), chosenProtocol(req.getHeader('sec-websocket-protocol')), req.getHeader('sec-websocket-extensions'), context);
}

/** Whose connection it is: a key's, else an address's. */
export function identityOf(caller: Caller | undefined, guard: Guard | undefined, route: Pick<Route, 'method' | 'path' | 'role'>, res: TaggedResponse, req: HttpRequest): string {
  if (caller !== undefined) return `key ${caller.id}`;
  const asked = guardRequest(route, res, req);
  return `address ${guard?.address?.(asked) ?? asked.address()}`;
}

const connectionOf = (ws: Socket, compression: boolean): LiveConnection => ({
  transport: 'websocket',
  send: (text) => void ws.send(text, false, compression),
  bufferedBytes: () => ws.getBufferedAmount(),
  together: (sends) => void ws.cork(sends),
  close: (code, reason) => void ws.end(code, reason),
});
