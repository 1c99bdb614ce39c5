import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import type { MadeLook } from './looker.js';
import type { PerformanceFill } from './performance.js';

export interface DriftMetrics {
  looked(look: MadeLook): void;
  decided(event: RetrainEvent): void;
  performanceLooked(mode: string): void;
  /** All features together, at one look. */
  together(outcome: 'measured' | 'late' | 'failed', tookMs: number): void;
  /** A run over labels and performance; undefined: it failed. */
  filled(fill: PerformanceFill | undefined, tookMs: number): void;
}

/** What the drift service tells Prometheus. */
export function createDriftMetrics(register: Registry, position: () => { window_to: number; landed_to: number }, labels: () => { watermark: number; labelled_to: number }): DriftMetrics {
  const registers = [register];
  const looks = new Counter({ name: 'tidemark_drift_looks_total', help: 'Windows looked at, by what they were taken for', labelNames: ['mode'] as const, registers });
  const seconds = new Histogram({ name: 'tidemark_drift_look_seconds', help: 'One look: measuring, triage, verdicts', buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30], registers });
  const tests = new Gauge({ name: 'tidemark_drift_tests', help: 'Tests of the last look, by verdict', labelNames: ['verdict'] as const, registers });
  const decisions = new Counter({ name: 'tidemark_drift_decisions_total', help: 'Retrain events written', labelNames: ['reason', 'decision'] as const, registers });
  const alerts = new Counter({ name: 'tidemark_drift_alerts_total', help: 'Alerts raised or prolonged for broken data', labelNames: ['cause'] as const, registers });
  new Gauge({
    name: 'tidemark_drift_behind_seconds', help: 'Event time that has landed since the end of the last window looked at', registers,
    collect() {
      const { window_to, landed_to } = position();
      this.set(window_to === 0 ? 0 : Math.max(0, landed_to - window_to) / 1000);
    },
  });
  const performanceLooks = new Counter({ name: 'tidemark_drift_performance_looks_total', help: 'Windows of labelled predictions looked at, by what they were taken for', labelNames: ['mode'] as const, registers });
  const togethers = new Counter({ name: 'tidemark_drift_multivariate_total', help: 'Measurements of all features together, by outcome', labelNames: ['outcome'] as const, registers });
  const togetherSeconds = new Histogram({ name: 'tidemark_drift_multivariate_seconds', help: 'One measurement of all features together', buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30], registers });
  const fills = new Counter({ name: 'tidemark_drift_fills_total', help: 'Runs over labels and performance', labelNames: ['outcome'] as const, registers });
  const fillSeconds = new Histogram({ name: 'tidemark_drift_fill_seconds', help: 'One run over labels and performance', buckets: [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800], registers });
  const windows = new Counter({ name: 'tidemark_drift_performance_windows_total', help: 'Windows whose performance was computed, or computed anew', labelNames: ['kind'] as const, registers });
  new Gauge({
    name: 'tidemark_drift_labels_behind_seconds', help: 'Event time between the end of the labels and the label watermark', registers,
    collect() {
      const { watermark, labelled_to } = labels();
      this.set(labelled_to === 0 ? 0 : Math.max(0, watermark - labelled_to) / 1000);
    },
  });
  return {
    looked({ result, tookMs }) {
      looks.inc({ mode: result.mode });
      seconds.observe(tookMs / 1000);
      tests.reset();
      for (const { verdict } of result.judged) tests.inc({ verdict });
      for (const { cause } of result.alerts) alerts.inc({ cause });
    },
    decided: ({ reason, decision }) => { decisions.inc({ reason, decision }); },
    performanceLooked: (mode) => { performanceLooks.inc({ mode }); },
    together(outcome, tookMs) {
      togethers.inc({ outcome });
      togetherSeconds.observe(tookMs / 1000);
    },
    filled(fill, tookMs) {
      fills.inc({ outcome: fill === undefined ? 'failed' : 'done' });
      fillSeconds.observe(tookMs / 1000);
      for (const kind of ['realised', 'estimated'] as const) windows.inc({ kind }, fill?.[kind].length ?? 0);
    },
  };
}
