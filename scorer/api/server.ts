import uws, { type HttpRequest, type HttpResponse, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { ScorerHealth } from '../observe/health.js';
import type { LiveHub } from './live.js';
import type { ScorerMetrics } from '../observe/metrics.js';
import type { ScoreQueue } from './score-queue.js';
import { routeCustomers } from './customers.js';
import { routePredict } from './predict.js';
import { sendJson, sendProblem, type Problem } from './problem.js';
import { routeSocket } from './socket.js';

export interface ServerParts {
  readonly view: FeatureView;
  readonly log: Log;
  readonly queue: ScoreQueue;
  /** The latest prediction of a customer, framed; undefined where there is none. */
  latest(customerId: string): Buffer | undefined;
  readonly hub: LiveHub;
  readonly metrics: ScorerMetrics;
  health(): ScorerHealth;
  /** Whether the customers of a partition are scored by this process now; another's vectors may be old. */
  serves(partition: number): boolean;
}

/** A route of the API: its handler answers exactly once, at once or after `onAborted` is registered. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  handle(res: HttpResponse, req: HttpRequest, finish: Finish): void;
}
/** Answers after the handler has returned: does nothing where the client has gone, and corks what it writes. */
export type Finish = (answer: (res: HttpResponse) => void) => void;

/**
 * Serves the API. Port 0 takes a free one.
 * @throws TidemarkError PORT_TAKEN
 */
export async function serve(parts: ServerParts, host: string, port: number): Promise<Stoppable & { readonly port: number }> {
  const app = uws.App();
  const routes: Route[] = [...routePredict(parts), ...routeCustomers(parts), ...observabilityRoutes(parts)];
  routes.push({
    method: 'get', path: '/', summary: 'this list',
    handle: (res) => sendJson(res, { routes: [...routes.map(({ method, path, summary }) => ({ method: method.toUpperCase(), path, summary })), { method: 'GET', path: '/ws', summary: 'live scores (WebSocket)' }] }),
  });
  for (const route of routes) app[route.method](route.path, (res, req) => run(route, res, req, parts));
  routeSocket(app, parts.hub);
  for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(app, path, routes);
  app.any('/*', (res, req) => sendProblem(res, { status: 404, code: 'NOT_FOUND', detail: `${req.getUrl().slice(0, 200)} is no route of this server; GET / lists them` }));
  const socket = await listen(app, host, port);
  parts.log.info('listening', { host, port: uws.us_socket_local_port(socket) });
  return { port: uws.us_socket_local_port(socket), stop: () => { app.close(); return Promise.resolve(); } };
}

function run(route: Route, res: HttpResponse, req: HttpRequest, { log, metrics }: ServerParts): void {
  const startedAt = performance.now();
  let over = false;
  res.onAborted(() => { over = true; });
  const done = (): void => { over = true; metrics.httpAnswered(route.path, performance.now() - startedAt); };
  const finish: Finish = (answer) => {
    if (over) return;
    res.cork(() => answer(res));
    done();
  };
  try {
    route.handle(res, req, finish);
  } catch (error) {
    log.error('request_failed', error, { path: route.path });
    finish((r) => sendProblem(r, INTERNAL));
  }
}

export const INTERNAL: Problem = { status: 500, code: 'INTERNAL', detail: 'the request failed inside the scorer; its log has the cause' };

const UNAVAILABLE = '503 Service Unavailable';

function observabilityRoutes({ health, metrics, log }: ServerParts): Route[] {
  return [
    { method: 'get', path: '/health/live', summary: 'the process answers', handle: (_res, _req, finish) => finish((res) => sendJson(res, { status: 'up' })) },
    {
      method: 'get', path: '/health/ready', summary: 'a model serves',
      handle: (_res, _req, finish) => finish((res) => { const { ready } = health(); sendJson(res, { ready }, ready ? '200 OK' : UNAVAILABLE); }),
    },
    {
      method: 'get', path: '/health', summary: 'the state of each dependency',
      handle: (_res, _req, finish) => finish((res) => { const state = health(); sendJson(res, state, state.ready ? '200 OK' : UNAVAILABLE); }),
    },
    {
      method: 'get', path: '/metrics', summary: 'metrics in Prometheus’ text format',
      handle: (_res, _req, finish) => void metrics.text().then((text) => finish((res) => void res.writeHeader('content-type', metrics.contentType).end(text)), (error: unknown) => {
        log.error('request_failed', error, { path: '/metrics' });
        finish((res) => sendProblem(res, INTERNAL));
      }),
    },
  ];
}

function refuseOtherMethods(app: TemplatedApp, path: string, routes: readonly Route[]): void {
  const allow = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase()).join(', ');
  app.any(path, (res, req) => sendProblem(res, { status: 405, code: 'INPUT_INVALID', detail: `${path} takes ${allow}, not ${req.getCaseSensitiveMethod()}`, allow }));
}

function listen(app: TemplatedApp, host: string, port: number): Promise<us_listen_socket> {
  return new Promise((resolve, reject) => {
    app.listen(host, port, (socket) => {
      if (socket !== false) return resolve(socket);
      reject(new TidemarkError('PORT_TAKEN', `the scorer cannot listen on ${host}:${port}: another process has the port, or the address is not this machine’s; set SCORER_PORT or SCORER_HOST`));
    });
  });
}
