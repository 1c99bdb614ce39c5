import { createServer } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { messageOf, TidemarkError } from './errors.js';
import { LOOPBACK } from './ports.js';

export type HealthStatus = 'up' | 'degraded' | 'down';

/** What /health answers: the worst of a process's dependencies decides its own status. */
export interface HealthReport {
  readonly status: HealthStatus;
  readonly dependencies: Readonly<Record<string, { readonly status: HealthStatus; readonly detail?: string }>>;
}

const HEALTH_DEADLINE_MS = 5_000;
/** How often the event loop's lag is looked at: each look wakes an idle process and delays a request that comes meanwhile. Longer halts are always seen. */
const LAG_LOOK_MS = 50;

/** A process's own metrics: Node's and the process's by default, every line labelled with the service's name. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_LOOK_MS });
  return registry;
}

/** The report of dependencies that are up or not: down where one is down, degraded where one is degraded. */
export function healthOf(dependencies: HealthReport['dependencies']): HealthReport {
  const states = Object.values(dependencies).map((dependency) => dependency.status);
  return { status: states.includes('down') ? 'down' : states.includes('degraded') ? 'degraded' : 'up', dependencies };
}

/** The report, or one that says `down` when it fails or takes longer than 5 s: a hanging dependency must not hang its own alarm. */
export async function healthWithin(health: () => Promise<HealthReport>, deadlineMs: number = HEALTH_DEADLINE_MS): Promise<HealthReport> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no report within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([health(), late]);
  } catch (error) {
    return healthOf({ report: { status: 'down', detail: messageOf(error) } });
  } finally {
    clearTimeout(timer);
  }
}

export interface Telemetry {
  readonly metrics: Registry;
  readonly port: number;
  stop(): Promise<void>;
}

export interface TelemetryOptions {
  readonly port: number;
  readonly service: string;
  readonly health: () => Promise<HealthReport>;
  /** Made beforehand where metrics are counted before the server starts. */
  readonly metrics?: Registry;
  readonly host?: string;
}

/**
 * Serves GET /health (200, or 503 when down) and GET /metrics (Prometheus text) of a process without an HTTP API of its own.
 * @throws TidemarkError PORT_TAKEN
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { port, service, health, host = LOOPBACK } = options;
  const metrics = options.metrics ?? createMetrics(service);
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const answer = path === '/health' ? answerHealth() : path === '/metrics' ? answerMetrics() : undefined;
    if (answer === undefined || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title: 'not found', status: 404, detail: 'there are GET /health and GET /metrics' }));
      return;
    }
    answer.then(
      ({ status, type, body }) => { response.writeHead(status, { 'content-type': type }); response.end(body); },
      (error: unknown) => { response.writeHead(500, { 'content-type': 'text/plain' }); response.end(messageOf(error)); },
    );
  });
  const answerHealth = async () => {
    const report = await healthWithin(health);
    return { status: report.status === 'down' ? 503 : 200, type: 'application/json', body: JSON.stringify({ service, ...report }) };
  };
  const answerMetrics = async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE'
        ? new TidemarkError('PORT_TAKEN', `${service}: port ${port} on ${host} is taken; set its metrics port to another`, { details: { port } })
        : error);
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    metrics,
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
}
