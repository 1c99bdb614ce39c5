import { Histogram, type Registry } from 'prom-client';
import { STAGES } from './run.js';

/** Counts every stage of this process's trainings into `tidemark_trainer_stage_seconds`. @returns how to end it */
export function watchStages(register: Registry): () => void {
  const seconds = new Histogram({
    name: 'tidemark_trainer_stage_seconds', help: 'Duration of a stage of a training', labelNames: ['stage', 'status'], registers: [register],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
  });
  const observe = (message: unknown): void => {
    const { stage, status, took_ms } = message as { stage: string; status: string; took_ms: number };
    seconds.observe({ stage, status }, took_ms / 1000);
  };
  STAGES.subscribe(observe);
  return () => { STAGES.unsubscribe(observe); };
}
