import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { createBudget } from '../core/budget.js';
import type { ScorerMetrics } from '../observe/metrics.js';
import { createComparison, type Comparison } from './compare.js';

const LOG_INTERVAL_MS = 10_000;

/** Comparisons of a process's partitions; they share one budget. */
export function createCompare({ view, log, schemaId, timeShare, metrics }: {
  readonly view: FeatureView;
  readonly log: Log;
  readonly schemaId: number;
  /** SHADOW_TIME_SHARE */
  readonly timeShare: number;
  readonly metrics: ScorerMetrics;
}): (partition: number) => Comparison {
  const budget = createBudget(timeShare);
  let loggedAt = -Infinity;
  return (partition) => createComparison({
    partition, featureCount: view.features.length, schemaId, budget,
    observe: (rows, ms) => metrics.modelCall('challenger', rows, ms),
    failed({ model }, rows, error) {
      metrics.compared('failed', rows);
      if (performance.now() - loggedAt < LOG_INTERVAL_MS) return;
      loggedAt = performance.now();
      log.error('challenger_failed', error, { version: model.manifest.version, rows });
    },
    passedOver: (rows) => metrics.compared('passed_over', rows),
  });
}
