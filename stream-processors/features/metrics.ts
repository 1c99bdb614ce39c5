import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RunnerMetrics } from '../../runtime/kafka/partition-runner.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface ProcessorMetrics {
  readonly events: Counter<'outcome'>;
  readonly deadLetters: Counter<'reason'>;
  readonly swept: Counter;
  readonly restore: Gauge<'partition'>;
  readonly runner: RunnerMetrics;
}

/** What the feature processor tells Prometheus. @param lag records behind, by assigned partition, read when scraped */
export function createMetrics(register: Registry, lag: () => { partition: number; lag: number }[], cached: () => number): ProcessorMetrics {
  const registers = [register];
  const batchRows = new Histogram({ name: 'tidemark_features_batch_rows', help: 'Events in one transaction', buckets: [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000], registers });
  const processSeconds = new Histogram({ name: 'tidemark_features_process_seconds', help: 'Computing one batch', buckets: SECONDS, registers });
  const commitSeconds = new Histogram({ name: 'tidemark_features_commit_seconds', help: 'Writing one batch: outputs, offsets, end of the transaction, local store', buckets: SECONDS, registers });
  const rollbacks = new Counter({ name: 'tidemark_features_rollbacks_total', help: 'Transactions given up, by reason', labelNames: ['code'] as const, registers });
  new Gauge({
    name: 'tidemark_features_lag_records', help: 'Events behind the end of the partition', labelNames: ['partition'] as const, registers,
    collect() {
      this.reset();
      for (const { partition, lag: behind } of lag()) this.set({ partition: String(partition) }, behind);
    },
  });
  new Gauge({ name: 'tidemark_features_cached_customers', help: 'Customers whose state is in memory', registers, collect() { this.set(cached()); } });
  return {
    events: new Counter({ name: 'tidemark_features_events_total', help: 'Records read, by what became of them', labelNames: ['outcome'] as const, registers }),
    deadLetters: new Counter({ name: 'tidemark_features_dead_letters_total', help: 'Records sent to the dead letters, by reason', labelNames: ['reason'] as const, registers }),
    swept: new Counter({ name: 'tidemark_features_swept_total', help: 'Refreshed features of silent customers', registers }),
    restore: new Gauge({ name: 'tidemark_features_restore_ratio', help: 'Share of the changelog tail that is restored', labelNames: ['partition'] as const, registers }),
    runner: {
      batch(_partition, rows, processMs, commitMs) {
        batchRows.observe(rows);
        processSeconds.observe(processMs / 1000);
        commitSeconds.observe(commitMs / 1000);
      },
      rolledBack: (_partition, code) => rollbacks.inc({ code }),
    },
  };
}
