import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RetrainEvent } from '../../schemas/events/retrain-event.js';
import type { MadeLook } from './looker.js';

export interface DriftMetrics {
  looked(look: MadeLook): void;
  decided(event: RetrainEvent): void;
}

/** What the drift service tells Prometheus. */
export function createDriftMetrics(register: Registry, position: () => { window_to: number; landed_to: number }): DriftMetrics {
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
  return {
    looked({ result, tookMs }) {
      looks.inc({ mode: result.mode });
      seconds.observe(tookMs / 1000);
      tests.reset();
      for (const { verdict } of result.judged) tests.inc({ verdict });
      for (const { cause } of result.alerts) alerts.inc({ cause });
    },
    decided: ({ reason, decision }) => { decisions.inc({ reason, decision }); },
  };
}
