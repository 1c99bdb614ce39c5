import { z } from 'zod';
import { sendJson } from '../api/problem.js';
import type { Route } from '../api/route.js';
import { messageSchemas, querySchema, requestSchemas } from './messages.js';




const WHAT: Readonly<Record<keyof typeof messageSchemas | keyof typeof requestSchemas, string>> = {
  subscribe: 'Begins a subscription, or replaces the one of that name.',
  unsubscribe: 'Ends a subscription.',
  ping: 'Asks for a pong: browsers cannot send WebSocket’s own pings.',
  subscribed: 'What was understood.',
  snapshot: 'The latest score of a customer, before the subscription’s scores begin.',
  live: 'The snapshot is complete; scores that follow come as they are committed.',
  score: 'A score, after it was committed.',
  gap: 'Scores were left out: the connection was too slow for them, or was away.',
  unsubscribed: 'The subscription is over.',
  pong: 'Answers a ping.',
  error: 'A message could not be followed; the connection goes on.',
};

type Json = Record<string, unknown>;
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json;
  return rest;
};

/** The AsyncAPI 3 document of /ws and /stream. @param host as clients write it, `127.0.0.1:8080` */
export function asyncApi(version: string, host: string, secure: boolean): Json {
  const names = (of: object): string[] => Object.keys(of);
  const refs = (of: readonly string[], at: string): Json => Object.fromEntries(of.map((name) => [name, { $ref: `${at}/${name}` }]));
  const streamed = names(messageSchemas).filter((name) => !['unsubscribed', 'pong', 'error'].includes(name));
  const all = { ...requestSchemas, ...messageSchemas };
  const channelRefs = (channel: string, of: readonly string[]): Json[] => of.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tidemark live scores', version, description: 'Scores as they are committed. Conditions go into the query string, or into a subscribe message.' },
    defaultContentType: 'application/json',
    servers: {
      websocket: { host, protocol: secure ? 'wss' : 'ws' },
      http: { host, protocol: secure ? 'https' : 'http' },
    },
    channels: {
      ws: {
        address: '/ws', title: 'WebSocket', servers: [{ $ref: '#/servers/websocket' }],
        messages: refs(names(all), '#/components/messages'),
        bindings: { ws: { method: 'GET', query: schemaOf(querySchema), bindingVersion: '0.1.0' } },
      },
      stream: {
        address: '/stream', title: 'Server-sent events', servers: [{ $ref: '#/servers/http' }],
        description: 'The event’s name is the message’s type; a position to resume from is the event’s id, which Last-Event-ID gives back.',
        messages: refs(streamed, '#/components/messages'),
      },
    },
    operations: {
      ask: { action: 'receive', channel: { $ref: '#/channels/ws' }, summary: 'What a client may say on a WebSocket.', messages: channelRefs('ws', names(requestSchemas)) },
      tell: { action: 'send', channel: { $ref: '#/channels/ws' }, summary: 'What a client receives on a WebSocket.', messages: channelRefs('ws', names(messageSchemas)) },
      stream: { action: 'send', channel: { $ref: '#/channels/stream' }, summary: 'What a client receives as server-sent events.', messages: channelRefs('stream', streamed) },
    },
    components: {
      messages: Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, { name, summary: WHAT[name as keyof typeof WHAT], payload: schemaOf(schema) }])),
    },
  };
}

const HOST = /^[A-Za-z0-9.:[\]-]{1,255}$/;

/** GET /asyncapi.json */
export function routeAsyncApi(version: string): Route {
  return {
    method: 'get', path: '/asyncapi.json', role: 'public',
    doc: { summary: 'what is said on /ws and /stream, as an AsyncAPI 3 document', tag: 'about', answers: { 200: { what: 'the document', content: { 'application/json': z.looseObject({ asyncapi: z.literal('3.0.0') }) } } } },
    handle(_res, req, finish) {
      const host = req.getHeader('host');
      const body = JSON.stringify(asyncApi(version, HOST.test(host) ? host : '127.0.0.1:8080', req.getHeader('x-forwarded-proto') === 'https'));
      finish((r) => sendJson(r, body));
    },
  };
}
