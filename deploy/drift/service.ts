import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { startDrift } from '../../stream-processors/drift/main.js';
import { multivariateFor } from './multivariate.js';

/** The drift service with the trainer's classifier. */
export async function startDriftService(settings: Settings, log: Log, fail: (error: unknown) => void): Promise<Stoppable> {
  const multivariate = multivariateFor(settings);
  const drift = await startDrift(settings, log, fail, { multivariate: multivariate?.measure });
  return {
    async stop() {
      await drift.stop();
      await multivariate?.close();
    },
  };
}
