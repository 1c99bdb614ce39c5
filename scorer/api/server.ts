import uws, { type HttpRequest, type HttpResponse, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { TidemarkError } from '../../runtime/errors.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { ScorerHealth } from '../observe/health.js';
import { admit, tag } from './admit.js';
import type { LiveHub } from './live.js';
import type { ScorerMetrics } from '../observe/metrics.js';
import type { ScoreQueue } from './score-queue.js';
import { INTERNAL, isProblem, sendProblem, type Problem, type TaggedResponse } from './problem.js';
import type { Page } from './root.js';
import { methodName, type Finish, type Guard, type Route } from './route.js';
import { apiRoutes } from './routes.js';
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
  /** Asked before every handler and upgrade; unset, everyone may do everything. */
  readonly guard?: Guard;
  /** What GET / answers to browsers. */
  readonly page?: Page;
}

/**
 * Serves the API. Port 0 takes a free one.
 * @throws TidemarkError PORT_TAKEN
 */
export async function serve(parts: ServerParts, host: string, port: number): Promise<Stoppable & { readonly port: number }> {
  const app = uws.App();
  const routes = apiRoutes(parts);
  for (const route of routes) app[route.method](route.path, (res, req) => run(route, res, req, parts));
  routeSocket(app, parts.hub, parts.guard);
  for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(app, path, routes);
  app.any('/*', (res, req) => refuse(res, req, { status: 404, code: 'NOT_FOUND', detail: `${req.getUrl().slice(0, 200)} is no route of this server; GET / lists them` }));
  const socket = await listen(app, host, port);
  parts.log.info('listening', { host, port: uws.us_socket_local_port(socket) });
  return { port: uws.us_socket_local_port(socket), stop: () => { app.close(); return Promise.resolve(); } };
}

function run(route: Route, res: TaggedResponse, req: HttpRequest, { log, metrics, guard }: ServerParts): void {
  const startedAt = performance.now();
  let over = false;
  tag(res, req);
  res.onAborted(() => { over = true; });
  const finish: Finish = (answer) => {
    if (over) return;
    over = true;
    res.cork(() => answer(res));
    metrics.httpAnswered(route.path, performance.now() - startedAt);
  };
  try {
    const admission = admit(guard, route, res, req);
    if (isProblem(admission)) return finish((r) => sendProblem(r, admission));
    route.handle(res, req, finish, admission.caller);
  } catch (error) {
    log.error('request_failed', error, { path: route.path, request_id: res.requestId });
    finish((r) => sendProblem(r, INTERNAL));
  }
}

function refuse(res: TaggedResponse, req: HttpRequest, problem: Problem): void {
  tag(res, req);
  sendProblem(res, problem);
}

function refuseOtherMethods(app: TemplatedApp, path: string, routes: readonly Route[]): void {
  const allow = routes.filter((route) => route.path === path).map(methodName).join(', ');
  app.any(path, (res: HttpResponse, req) => refuse(res, req, { status: 405, code: 'INPUT_INVALID', detail: `${path} takes ${allow}, not ${req.getCaseSensitiveMethod()}`, allow }));
}

function listen(app: TemplatedApp, host: string, port: number): Promise<us_listen_socket> {
  return new Promise((resolve, reject) => {
    app.listen(host, port, (socket) => {
      if (socket !== false) return resolve(socket);
      reject(new TidemarkError('PORT_TAKEN', `the scorer cannot listen on ${host}:${port}: another process has the port, or the address is not this machine’s; set SCORER_PORT or SCORER_HOST`));
    });
  });
}
