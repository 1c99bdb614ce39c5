import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is asked when Prometheus asks. */
export interface PartitionGauges {
  readonly topic: string;
  readonly partition: number;
  /** Whether it takes records: where it goes on is known. */
  readonly open: boolean;
  /** Records behind the end of the partition, those in buffers included. */
  readonly lag: number;
  readonly buffered_rows: number;
  readonly buffered_bytes: number;
  readonly paused: boolean;
}

export interface LandingMetrics {
  inserted(table: string, rows: number, seconds: number): void;
  retried(table: string): void;
  skipped(topic: string, reason: string): void;
}

/** What landing tells Prometheus. */
export function createLandingMetrics(register: Registry, partitions: () => readonly PartitionGauges[]): LandingMetrics {
  const registers = [register];
  const rows = new Counter({ name: 'tidemark_landing_rows_total', help: 'Rows inserted', labelNames: ['table'] as const, registers });
  const seconds = new Histogram({ name: 'tidemark_landing_insert_seconds', help: 'One insert, from sending to acknowledgement', labelNames: ['table'] as const, buckets: SECONDS, registers });
  const sizes = new Histogram({ name: 'tidemark_landing_insert_rows', help: 'Rows of one insert', labelNames: ['table'] as const, buckets: [1, 10, 100, 1000, 10_000, 50_000, 200_000], registers });
  const retries = new Counter({ name: 'tidemark_landing_retries_total', help: 'Inserts that were tried again', labelNames: ['table'] as const, registers });
  const skipped = new Counter({ name: 'tidemark_landing_skipped_total', help: 'Records that make no row', labelNames: ['topic', 'reason'] as const, registers });
  const gauge = (name: string, help: string, add: (set: (labels: { topic: string; partition: string }, value: number) => void) => void): void => {
    new Gauge({
      name, help, labelNames: ['topic', 'partition'] as const, registers,
      collect() {
        this.reset();
        add((labels, value) => this.set(labels, value));
      },
    });
  };
  const each = (of: (one: PartitionGauges) => number) => (set: (labels: { topic: string; partition: string }, value: number) => void): void => {
    for (const one of partitions()) set({ topic: one.topic, partition: String(one.partition) }, of(one));
  };
  gauge('tidemark_landing_lag_records', 'Records of the partition that are not in ClickHouse yet', each(({ lag }) => lag));
  gauge('tidemark_landing_buffered_rows', 'Rows waiting for their insert', each(({ buffered_rows }) => buffered_rows));
  gauge('tidemark_landing_buffered_bytes', 'Bytes of rows waiting for their insert', each(({ buffered_bytes }) => buffered_bytes));
  gauge('tidemark_landing_paused', '1 while the partition waits for ClickHouse', each(({ paused }) => (paused ? 1 : 0)));
  return {
    inserted(table, count, took) {
      rows.inc({ table }, count);
      seconds.observe({ table }, took);
      sizes.observe({ table }, count);
    },
    retried: (table) => retries.inc({ table }),
    skipped: (topic, reason) => skipped.inc({ topic, reason }),
  };
}
