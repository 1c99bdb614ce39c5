import { TOPICS } from '../../schemas/topics.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import type { Settings } from '../../runtime/settings.js';
import { createMetrics, healthOf, startTelemetry } from '../../runtime/telemetry.js';
import { connectDecider } from '../gate/connect.js';
import { followMlflow } from '../mlflow/sync.js';
import { followRetrainEvents } from './events.js';
import { watchStages } from '../run/metrics.js';
import { createTrainerMetrics } from './metrics.js';
import { startWorker } from './worker.js';

/**
 * The trainer: retrain-events in, versions on `models` and decisions in the ledger out. Each event is answered once, through
 * restarts and kills.
 * @param fail called when the process cannot go on
 */
export async function startTrainer(settings: Settings, log: Log, fail: (error: unknown) => void): Promise<Stoppable> {
  const decider = await connectDecider(settings, log);
  const kafka = createKafka(settings, log);
  await ensureTopics(kafka, settings, [TOPICS.retrain]);
  const register = createMetrics('trainer');
  const metrics = createTrainerMetrics(register, () => worker.state());
  const unwatch = watchStages(register);
  const worker = startWorker({ settings, log, decider, fail, onAnswer: (answer, seconds) => metrics.answered(answer, seconds) });
  const telemetry = await startTelemetry({
    port: settings.TRAINER_METRICS_PORT, service: 'trainer', metrics: register,
    health: () => {
      const { pending, training, trouble } = worker.state();
      const detail = `${pending} retrain events to answer${training ? ', one in training' : ''}`;
      return Promise.resolve(healthOf({ training: trouble === undefined ? { status: 'up', detail } : { status: 'degraded', detail: `${detail}: ${trouble}` } }));
    },
  });
  const events = await followRetrainEvents({
    kafka, log, registry: createRegistry(settings, log), onEvent: (event) => worker.add(event), onRestart: () => worker.clear(),
  });
  const mlflow = followMlflow(settings, log);
  return {
    async stop() {
      worker.stop();
      unwatch();
      await Promise.all([mlflow.stop(), events.stop(), telemetry.stop()]);
    },
  };
}
