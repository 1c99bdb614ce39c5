import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import type { ApiLog } from '../api-log/log.js';
import type { Bulk } from '../bulk/bulk.js';
import type { Explanations } from '../explain/explanations.js';
import type { ScorerHealth } from '../observe/health.js';
import { listenPlain, type Listen } from '../security/transport.js';
import type { Live } from '../live/live.js';
import { routeSocket } from '../live/socket.js';
import { admit, tag } from './admit.js';
import { type Audit, auditedRoute } from './audited.js';
import type { BookedVersion } from '../model/book.js';
import type { ModelHolder } from '../model/swap.js';
import type { Trial } from '../model/trial.js';
import type { History } from '../store/history.js';
import type { ScorerMetrics } from '../observe/metrics.js';
import type { ScoreQueue } from './score-queue.js';
import { beginAnswer, INTERNAL, isProblem, sendProblem, type Problem, type TaggedResponse } from './problem.js';
import type { Page } from './root.js';
import { methodName, type Finish, type Guard, type Route } from './route.js';
import { apiRoutes } from './routes.js';

export interface ServerParts {
  readonly view: FeatureView;
  readonly log: Log;
  readonly queue: ScoreQueue;
  /** The latest prediction of a customer, framed; undefined where there is none. */
  latest(customerId: string): Buffer | undefined;
  readonly live: Live;
  readonly metrics: ScorerMetrics;
  health(): ScorerHealth;
  /** Whether the customers of a partition are scored by this process now; another's vectors may be old. */
  serves(partition: number): boolean;
  /** Up to when a partition's customers are current, epoch milliseconds; undefined where that is not known. */
  asOf?(partition: number): number | undefined;
  /** The scores of a customer's past. */
  readonly history?: History;
  /** What scores are made of; unset, `explain` is refused. */
  readonly explanations?: Explanations;
  /** What serves, and what GET /models and the Open Inference Protocol say of it. */
  readonly holder?: ModelHolder;
  trial?(): Trial | undefined;
  /** MODEL_NAME and DECISION_THRESHOLD. */
  readonly model?: string;
  readonly threshold?: number;
  /** Versions that are known. */
  book?(): readonly BookedVersion[];
  /** Scores batches; unset, there is no route for them. */
  readonly bulk?: Bulk;
  /** Takes every prediction that is answered. */
  readonly apiLog?: ApiLog;
  /** Asked before every handler and upgrade; unset, everyone may do everything. */
  readonly guard?: Guard;
  /** Told of what changes something and is an operator’s or an admin’s to do. */
  readonly audit?: Audit;
  /** Plain HTTP where it is not given. */
  readonly listen?: Listen;
  /** What GET / answers to browsers. */
  readonly page?: Page;
  /** What the page asks. */
  readonly pageRoutes?: readonly Route[];
}

export interface Server extends Stoppable {
  readonly port: number;
  /**
   * Ends in order: for `noticeMs` everything is answered, each answer the last of its connection; then nobody connects any more,
   * and what is under way gets its answer within a deadline. Say at /health/ready that it ends before calling it.
   */
  drain(noticeMs: number): Promise<void>;
}

/** Of requests that are under way when the server ends. */
const LAST_ANSWERS_MS = 3000;
/** After the last connection was taken in: its request may not have been read yet. */
const LAST_READ_MS = 50;
const LOOK_MS = 10;

/**
 * Serves the API. Port 0 takes a free one.
 * @throws TidemarkError PORT_TAKEN
 */
export async function serve(parts: ServerParts, host: string, port: number): Promise<Server> {
  const { guard, audit } = parts;
  const life: Life = { underway: 0, draining: false };
  const routes = apiRoutes(parts).map((route) => auditedRoute(route, guard, audit));
  const mount = (app: TemplatedApp): void => {
    if (guard?.preflight !== undefined) app.options('/*', (res, req) => answerPreflight(res, req, guard));
    for (const route of routes) app[route.method](route.path, (res, req) => run(route, res, req, parts, life));
    routeSocket(app, parts.live, guard);
    for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(app, path, routes, guard, life);
    app.any('/*', (res, req) => refuse(res, req, { status: 404, code: 'NOT_FOUND', detail: `${req.getUrl().slice(0, 200)} is no route of this server; GET / lists them` }, guard, life));
  };
  const listener = await (parts.listen ?? listenPlain())(mount, host, port);
  parts.log.info('listening', { host, port: listener.port });
  return {
    port: listener.port,
    stop: () => { parts.live.end(); return listener.stop(); },
    async drain(noticeMs) {
      life.draining = true;
      await sleep(noticeMs);
      await listener.unlisten();
      parts.live.end();
      await sleep(LAST_READ_MS);
      for (let waited = 0; life.underway > 0 && waited < LAST_ANSWERS_MS; waited += LOOK_MS) await sleep(LOOK_MS);
      await listener.stop();
    },
  };
}

/** What the server's end has to know. */
interface Life { underway: number; draining: boolean }

/** The client is told that the connection ends with this answer. */
function lastAnswer(res: TaggedResponse): void {
  const end = res.end.bind(res);
  res.end = (body) => end(body, true);
}

function run(route: Route, res: TaggedResponse, req: HttpRequest, { log, metrics, guard }: ServerParts, life: Life): void {
  const startedAt = performance.now();
  let over = false;
  life.underway++;
  tag(res, req, guard);
  res.onAborted(() => {
    if (!over) life.underway--;
    over = true;
    res.whenAborted?.();
  });
  const finish: Finish = (answer) => {
    if (over) return;
    over = true;
    life.underway--;
    if (life.draining) lastAnswer(res);
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

function refuse(res: TaggedResponse, req: HttpRequest, problem: Problem, guard: Guard | undefined, life: Life): void {
  tag(res, req, guard);
  if (life.draining) lastAnswer(res);
  sendProblem(res, problem);
}

function refuseOtherMethods(app: TemplatedApp, path: string, routes: readonly Route[], guard: Guard | undefined, life: Life): void {
  const allow = routes.filter((route) => route.path === path).map(methodName).join(', ');
  app.any(path, (res: HttpResponse, req) => refuse(res, req, { status: 405, code: 'INPUT_INVALID', detail: `${path} takes ${allow}, not ${req.getCaseSensitiveMethod()}`, allow }, guard, life));
}

/** What a browser asks before it sends something for a page of another origin. */
function answerPreflight(res: TaggedResponse, req: HttpRequest, guard: Guard): void {
  tag(res, req, guard);
  const headers = guard.preflight?.(req.getHeader('origin')) ?? null;
  if (headers === null) return sendProblem(res, { status: 403, code: 'FORBIDDEN', detail: 'pages of this origin may not ask: SCORER_CORS_ORIGINS names those that may' });
  beginAnswer(res, '204 No Content');
  for (let i = 0; i + 1 < headers.length; i += 2) res.writeHeader(headers[i] as string, headers[i + 1] as string);
  res.endWithoutBody();
}
