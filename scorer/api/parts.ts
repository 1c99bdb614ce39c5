import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { clickHouseSender, createApiLog } from '../api-log/log.js';
import { createBulk } from '../bulk/bulk.js';
import { createExplainer } from '../explain/explainer.js';
import { createExplanations } from '../explain/explanations.js';
import { createRecentReader } from '../explain/recent.js';
import type { BookedVersion } from '../model/book.js';
import { createCachedCalls } from '../model/cached-calls.js';
import type { ModelCalls } from '../model/calls.js';
import type { ModelHolder } from '../model/swap.js';
import type { TrialHolder } from '../model/trial.js';
import { clickHouseHealth, requestsHealth } from '../observe/api-health.js';
import type { ScorerMetrics } from '../observe/metrics.js';
import { createHistory } from '../store/history.js';
import { createScoreQueue } from './score-queue.js';

export interface ApiOptions {
  readonly settings: Settings;
  readonly view: FeatureView;
  readonly log: Log;
  readonly holder: ModelHolder;
  readonly trial: TrialHolder;
  readonly calls: ModelCalls;
  readonly metrics: ScorerMetrics;
  latest(customerId: string): Buffer | undefined;
}

/** What answers requests for scores: the queue of single ones, the threads of batches, the log of both, the customers' past. */
export function createApiParts({ settings, view, log, holder, trial, calls, metrics, latest }: ApiOptions) {
  const threshold = settings.DECISION_THRESHOLD;
  const sender = clickHouseSender(settings);
  const apiLog = createApiLog({ viewVersion: view.version, width: view.features.length, bytesMax: settings.API_LOG_MB_MAX * 2 ** 20, send: sender.send, log });
  const featureCount = view.features.length;
  const cached = createCachedCalls({ holder, calls, featureCount, cacheRows: settings.SCORER_CACHE_ROWS, observe: (rows, ms) => metrics.modelCall('api', rows, ms) });
  const queue = createScoreQueue({ holder, calls: cached, fallbackScore: settings.FALLBACK_SCORE, featureCount, threshold, clock: Date.now });
  const bulk = createBulk({ view, holder, threshold, model: settings.MODEL_NAME, threads: settings.SCORER_BULK_THREADS, log, apiLog, latest, observe: (rows, ms) => metrics.modelCall('bulk', rows, ms) });
  const history = createHistory(settings, log);
  const explainer = createExplainer({ log, observe: metrics.explained });
  const recent = createRecentReader(settings, view);
  const modelOf = (version: string) => [trial.current()?.model, holder.standby()].find((model) => model?.manifest.version === version) ?? holder.current();
  const explanations = createExplanations({ view, explainer, recent: recent.read, modelOf });
  let versions: readonly BookedVersion[] = [];
  metrics.watchApi({ bulk, apiLog });
  metrics.watchCache(cached.counts);
  metrics.watchQueues({ queue: queue.counts, explanations: explainer.stats, clickhouseOpened: () => recent.state().opened });
  return {
    parts: { queue, bulk, apiLog, history, explanations, holder, trial: trial.current, threshold, model: settings.MODEL_NAME, book: () => versions },
    /** What /health says of ClickHouse and of the queues that requests wait in. */
    health: () => ({ clickhouse: clickHouseHealth(recent.state(), history.paused(), apiLog.counts), requests: requestsHealth(queue.counts, explainer.stats()) }),
    /** Takes what is known of versions after each change. */
    booked(list: readonly BookedVersion[]): void { versions = list; },
    async stop(): Promise<void> {
      await bulk.close();
      await apiLog.stop();
      await Promise.all([sender.close(), history.close(), recent.close(), explainer.stop()]);
    },
  };
}
