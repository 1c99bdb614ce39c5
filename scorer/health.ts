/** The state of one dependency, in words an operator can act on. */
export interface Dependency {
  readonly status: 'ok' | 'waiting' | 'degraded' | 'down';
  readonly [detail: string]: unknown;
}

export interface Health {
  /** Ready to score: a model serves. */
  readonly ready: boolean;
  readonly status: 'ok' | 'degraded' | 'unavailable';
  readonly uptime_s: number;
  readonly dependencies: Readonly<Record<string, Dependency>>;
}

export type HealthSources = Readonly<Record<'kafka' | 'model' | 'store' | 'registry', () => Dependency | Promise<Dependency>>>;

/** One answer from all dependencies. Without a model nothing can be scored; any other trouble leaves REST answering. */
export async function healthOf(sources: HealthSources, startedAtMs: number, nowMs: number): Promise<Health> {
  const entries = await Promise.all(Object.entries(sources).map(async ([name, source]) => [name, await source()] as const));
  const dependencies = Object.fromEntries(entries);
  const ready = isReady(dependencies['model']);
  const status = !ready ? 'unavailable' : entries.every(([, { status: s }]) => s === 'ok') ? 'ok' : 'degraded';
  return { ready, status, uptime_s: Math.round((nowMs - startedAtMs) / 1000), dependencies };
}

export const isReady = (model: Dependency | undefined): boolean => model?.status === 'ok' || model?.status === 'degraded';
