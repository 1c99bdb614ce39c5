import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface TrainerMetrics {
  answered(answer: string, seconds: number): void;
}

/** What the trainer tells Prometheus. @param state asked when Prometheus asks */
export function createTrainerMetrics(register: Registry, state: () => { readonly pending: number; readonly training: boolean }): TrainerMetrics {
  const registers = [register];
  const answers = new Counter({ name: 'tidemark_trainer_answers_total', help: 'Retrain events answered, by how', labelNames: ['answer'] as const, registers });
  const seconds = new Histogram({ name: 'tidemark_trainer_answer_seconds', help: 'From taking a retrain event to its answer', buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600], registers });
  new Gauge({ name: 'tidemark_trainer_pending_events', help: 'Retrain events that nobody has answered', registers, collect() { this.set(state().pending); } });
  new Gauge({ name: 'tidemark_trainer_training', help: '1 while a model is trained', registers, collect() { this.set(state().training ? 1 : 0); } });
  return {
    answered(answer, took) {
      answers.inc({ answer });
      seconds.observe(took);
    },
  };
}
