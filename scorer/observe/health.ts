import type { HealthReport, HealthStatus } from '../../runtime/telemetry.js';

/** The state of one dependency, with what an operator wants to know of it. */
export interface Dependency {
  readonly status: HealthStatus;
  readonly detail?: string;
  readonly [fact: string]: unknown;
}

export interface ScorerHealth extends HealthReport {
  /** A model serves: scores are answered. False while the process is about to end, too. */
  readonly ready: boolean;
  /** The process has been told to stop: a load balancer takes it out. */
  readonly draining: boolean;
  readonly uptime_s: number;
}

export type Dependencies = Readonly<Record<'kafka' | 'model' | 'store' | 'registry', Dependency> & Partial<Record<'clickhouse' | 'requests', Dependency>>>;

/** Without a model nothing can be scored; any other trouble leaves REST answering from what is there. */
export function scorerHealth(dependencies: Dependencies, uptimeMs: number, draining = false): ScorerHealth {
  const scores = dependencies.model.status !== 'down';
  const ready = scores && !draining;
  const status = !scores ? 'down' : Object.values(dependencies).every((d) => d.status === 'up') ? 'up' : 'degraded';
  return { status, ready, draining, uptime_s: Math.round(uptimeMs / 1000), dependencies };
}

export interface Probe {
  /** The last known state; asks again in the background when that is older than the interval. */
  state(): Dependency;
}

const PROBE_INTERVAL_MS = 5000;
const PROBE_TIMEOUT_MS = 3000;

/** Asks a dependency now and then whether it is there, without ever letting /health wait for it. */
export function createProbe(ask: () => Promise<unknown>, now: () => number = Date.now): Probe {
  let last: Dependency = { status: 'up' };
  let askedAt = now();
  let asking = false;

  function refresh(): void {
    asking = true;
    askedAt = now();
    const timeout = setTimeout(() => settle({ status: 'down', detail: `no answer within ${PROBE_TIMEOUT_MS} ms` }), PROBE_TIMEOUT_MS);
    timeout.unref();
    const settle = (state: Dependency): void => {
      clearTimeout(timeout);
      last = state;
    };
    ask().then(() => settle({ status: 'up' }), (error: unknown) => settle({ status: 'down', detail: error instanceof Error ? error.message : String(error) })).finally(() => { asking = false; });
  }
  return {
    state() {
      if (!asking && now() - askedAt > PROBE_INTERVAL_MS) refresh();
      return last;
    },
  };
}
