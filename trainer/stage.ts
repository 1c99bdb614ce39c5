import type { Log } from '../runtime/log.js';

/** Runs one stage of a training with a log line at its start and one with its duration. */
export async function stage<T>(log: Log, name: string, work: () => Promise<T>, about: (result: T) => Record<string, unknown> = () => ({})): Promise<T> {
  log.info('stage_started', { stage: name });
  const started = performance.now();
  const result = await work();
  log.info('stage_done', { stage: name, took_ms: Math.round(performance.now() - started), ...about(result) });
  return result;
}
