import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { DriftRequest, Measurement } from '../../schemas/drift/measurement.js';
import type { DriftMetrics } from './metrics.js';

/** All features of a window together; nothing where it cannot be measured. Never fails. */
export type MeasureTogether = (request: DriftRequest) => Promise<Measurement[]>;

/** What measures it, given by whoever has a classifier. @param signal time is over: end between two rounds */
export type Multivariate = (request: DriftRequest, signal: AbortSignal) => Promise<Measurement[]>;

/** A look does not wait longer: it is judged without. */
const MS_MAX = 15_000;

/** Bounds the time of a measurement and keeps its failures to itself: the other tests of a look do not depend on it. */
export function measureTogether(multivariate: Multivariate, metrics: () => Pick<DriftMetrics, 'together'>, log: Log, msMax = MS_MAX): MeasureTogether {
  let running = false;
  return async (request) => {
    // one that was given up has not ended yet
    if (running) return [];
    running = true;
    const startedAt = performance.now();
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => { timer = setTimeout(resolve, msMax, undefined); });
    const measured = multivariate(request, abort.signal).finally(() => { running = false; });
    measured.catch(() => undefined);
    try {
      const measurements = await Promise.race([measured, late]);
      if (measurements === undefined) {
        abort.abort();
        throw new Error(`not within ${msMax} ms`);
      }
      metrics().together('measured', performance.now() - startedAt);
      return measurements;
    } catch (error) {
      metrics().together(abort.signal.aborted ? 'late' : 'failed', performance.now() - startedAt);
      log.warn('multivariate_left_out', { window_to: new Date(request.window.to).toISOString(), message: messageOf(error) });
      return [];
    } finally {
      clearTimeout(timer);
    }
  };
}
