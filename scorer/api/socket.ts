import type { HttpRequest, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import { z } from 'zod';
import { EVENT_BOUNDS } from '../../schemas/events/customer-event.js';
import { EVERYTHING, type Subscription } from '../core/subscription.js';
import { chosenProtocol } from '../security/core/presented.js';
import { admit, tag } from './admit.js';
import type { LiveClient, LiveConnection, LiveHub } from './live.js';
import { invalid, isProblem, problemJson, sendProblem, type FieldError, type TaggedResponse } from './problem.js';
import { fieldErrors } from './predict-request.js';
import type { Caller, Guard } from './route.js';

export const SOCKET_LIMITS = {
  clients_max: 10_000,
  customers_max: 1000,
  message_bytes_max: 64 * 1024,
  /** A connection that neither sends nor answers a ping for so long is closed. */
  idle_s: 60,
  /** Above the hub's own bound, which acts first. */
  backpressure_bytes_max: 1024 * 1024,
} as const;

const id = z.string().min(1).max(EVENT_BOUNDS.id_length_max);
const filter = {
  customer: z.union([id.transform((one) => [one]), z.array(id).min(1).max(SOCKET_LIMITS.customers_max)],
    `a customer id, or 1 to ${SOCKET_LIMITS.customers_max} of them`).optional(),
  threshold: z.number('a number from 0 to 1').min(0, 'a number from 0 to 1').max(1, 'a number from 0 to 1').optional(),
  sample: z.number('a number above 0, up to 1').gt(0, 'a number above 0, up to 1').max(1, 'a number above 0, up to 1').optional(),
};
const message = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('subscribe'), ...filter }),
  z.strictObject({ type: z.literal('unsubscribe') }),
], 'type is subscribe or unsubscribe');
const query = z.strictObject(filter);

const subscriptionOf = ({ customer, threshold, sample }: z.infer<typeof query>): Subscription =>
  ({ customers: customer === undefined ? null : new Set(customer), threshold: threshold ?? EVERYTHING.threshold, sample: sample ?? EVERYTHING.sample });

/** `customer` (may be repeated), `threshold` and `sample` of the query string. */
export function subscriptionOfQuery(text: string): Subscription | { errors: FieldError[] } {
  const given: Record<string, unknown> = {};
  const params = new URLSearchParams(text);
  for (const name of new Set(params.keys())) given[name] = name === 'customer' ? params.getAll(name) : toNumber(params.get(name));
  const parsed = query.safeParse(given);
  return parsed.success ? subscriptionOf(parsed.data) : { errors: fieldErrors(parsed.error, '') };
}
const toNumber = (value: string | null): unknown => (value !== null && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value);

/** What a client may say; null is the end of its subscription. */
export function subscriptionOfMessage(text: string): Subscription | null | { errors: FieldError[] } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { errors: [{ field: 'message', rule: 'JSON text' }] };
  }
  const parsed = message.safeParse(body);
  if (!parsed.success) return { errors: fieldErrors(parsed.error, '') };
  return parsed.data.type === 'unsubscribe' ? null : subscriptionOf(parsed.data);
}

interface Session { readonly subscription: Subscription; readonly caller: Caller | undefined; client?: LiveClient; unwatch?: (() => void) | undefined }

/** Close code for what a policy ends (RFC 6455). */
const KEY_ENDED = 1008;

/** Live scores at /ws. */
export function routeSocket(app: TemplatedApp, hub: LiveHub, guard?: Guard): void {
  app.ws<Session>('/ws', {
    maxPayloadLength: SOCKET_LIMITS.message_bytes_max,
    maxBackpressure: SOCKET_LIMITS.backpressure_bytes_max,
    idleTimeout: SOCKET_LIMITS.idle_s,
    sendPingsAutomatically: true,
    upgrade: (res, req, context) => upgrade(res, req, context, hub, guard),
    open(ws) {
      const session = ws.getUserData();
      session.client = hub.join(connectionOf(ws), session.subscription);
      session.unwatch = guard?.watch?.(session.caller, () => ws.end(KEY_ENDED, 'the key may not be used any more'));
      ws.send(subscribed(session.subscription));
    },
    message(ws, bytes) {
      const { client } = ws.getUserData();
      const asked = subscriptionOfMessage(Buffer.from(bytes).toString('utf8'));
      if (client === undefined) return;
      if (asked !== null && 'errors' in asked) return void ws.send(`{"type":"error","problem":${problemJson(invalid(asked.errors))}}`);
      hub.subscribe(client, asked);
      ws.send(subscribed(asked));
    },
    drain(ws) {
      const { client } = ws.getUserData();
      if (client !== undefined) hub.drained(client);
    },
    close(ws) {
      const { client, unwatch } = ws.getUserData();
      unwatch?.();
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

function upgrade(res: TaggedResponse, req: HttpRequest, context: us_socket_context_t, hub: LiveHub, guard: Guard | undefined): void {
  tag(res, req, guard);
  const admission = admit(guard, SOCKET_ROUTE, res, req);
  if (isProblem(admission)) return sendProblem(res, admission);
  const subscription = subscriptionOfQuery(req.getQuery());
  if ('errors' in subscription) return sendProblem(res, invalid(subscription.errors));
  if (hub.clients >= SOCKET_LIMITS.clients_max)
    return sendProblem(res, { status: 503, code: 'PART_NOT_READY', detail: `${SOCKET_LIMITS.clients_max} clients are connected, which is the most`, retryAfterS: 10 });
  res.upgrade<Session>({ subscription, caller: admission.caller }, req.getHeader('sec-websocket-key'), chosenProtocol(req.getHeader('sec-websocket-protocol')), req.getHeader('sec-websocket-extensions'), context);
}

const connectionOf = (ws: WebSocket<Session>): LiveConnection => ({
  send: (text) => void ws.send(text),
  bufferedBytes: () => ws.getBufferedAmount(),
  together: (sends) => void ws.cork(sends),
});

function subscribed(subscription: Subscription | null): string {
  if (subscription === null) return JSON.stringify({ type: 'unsubscribed' });
  const { customers, threshold, sample } = subscription;
  return JSON.stringify({ type: 'subscribed', customer: customers === null ? null : [...customers], threshold, sample });
}
