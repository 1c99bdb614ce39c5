import { z } from 'zod';
import { INTERNAL, sendJson, sendProblem, sendText } from './problem.js';
import type { Route } from './route.js';
import type { ServerParts } from './server.js';

const UNAVAILABLE = '503 Service Unavailable';

const status = z.enum(['up', 'degraded', 'down']);
const health = z.looseObject({
  status, ready: z.boolean().describe('a model serves: scores are answered'), uptime_s: z.number(),
  dependencies: z.record(z.string(), z.looseObject({ status, detail: z.string().optional() })),
});
const ready = z.object({ ready: z.boolean() });

/** Health and metrics. */
export function routeObservability({ health: state, metrics, log }: Pick<ServerParts, 'health' | 'metrics' | 'log'>): Route[] {
  return [
    {
      method: 'get', path: '/health/live', role: 'public',
      doc: { summary: 'the process answers', tag: 'health', answers: { 200: { what: 'it does', content: { 'application/json': z.object({ status: z.literal('up') }) } } } },
      handle: (_res, _req, finish) => finish((res) => sendJson(res, '{"status":"up"}')),
    },
    {
      method: 'get', path: '/health/ready', role: 'public',
      doc: { summary: 'a model serves', tag: 'health', answers: { 200: { what: 'it does', content: { 'application/json': ready } }, 503: { what: 'none does yet', content: { 'application/json': ready } } } },
      handle: (_res, _req, finish) => finish((res) => { const { ready } = state(); sendJson(res, { ready }, ready ? '200 OK' : UNAVAILABLE); }),
    },
    {
      method: 'get', path: '/health', role: 'public',
      doc: { summary: 'the state of each dependency', tag: 'health', answers: { 200: { what: 'up or degraded', content: { 'application/json': health } }, 503: { what: 'no model serves', content: { 'application/json': health } } } },
      handle: (_res, _req, finish) => finish((res) => { const now = state(); sendJson(res, now, now.ready ? '200 OK' : UNAVAILABLE); }),
    },
    {
      method: 'get', path: '/metrics', role: 'reader',
      doc: { summary: 'metrics in Prometheus’ text format', tag: 'health', answers: { 200: { what: 'metrics', content: { 'text/plain': 'text' } } } },
      handle: (_res, _req, finish) => void metrics.text().then((text) => finish((res) => sendText(res, text, metrics.contentType)), (error: unknown) => {
        log.error('request_failed', error, { path: '/metrics' });
        finish((res) => sendProblem(res, INTERNAL));
      }),
    },
  ];
}
