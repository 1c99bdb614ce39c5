import { channel } from 'node:diagnostics_channel';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';

export const RUN_STATUSES = ['running', 'trained', 'deployed', 'kept', 'failed'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** What is known of a run beside its status; what is not given stays as it was. */
export interface RunFacts {
  readonly version?: string;
  readonly family?: string;
  readonly data_hash?: string;
  readonly dataset_id?: string;
  readonly data_rows?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly error?: string;
  /** Everything else, as JSON. */
  readonly [about: string]: unknown;
}

export interface StageRow {
  readonly ordinal: number;
  readonly stage: string;
  readonly status: 'running' | 'done' | 'failed';
  readonly started_at: number;
  readonly took_ms: number;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly error: string;
}

/** Where a run's rows go; the same rows written again replace themselves. */
export interface RunStore {
  stage(row: StageRow): Promise<void>;
  run(status: RunStatus, facts: RunFacts, took_ms: number): Promise<void>;
}

/** One training from its first stage to the decision about its model. Equal ids are the same training, done again. */
export interface TrainingRun {
  readonly run_id: string;
  /** Runs one stage of it: log lines, duration, metric, row. */
  stage<T>(name: string, work: () => Promise<T>, about?: (result: T) => Record<string, unknown>): Promise<T>;
  /** Its state so far, and, but for `running` and `trained`, its end. */
  note(status: RunStatus, facts?: RunFacts): Promise<void>;
}

/** Told of every stage that ended: { stage, status: 'done' | 'failed', took_ms }. */
export const STAGES = channel('tidemark:training-stage');

/**
 * @param store undefined: the run is only logged
 * @throws by stage and note what the store throws; what a stage's own work throws comes first
 */
export function startRun(run_id: string, log: Log, store?: RunStore): TrainingRun {
  const started = performance.now();
  let ordinal = 0;
  let known: RunFacts = {};
  return {
    run_id,
    async stage(name, work, about = () => ({})) {
      const row = { ordinal: ++ordinal, stage: name, started_at: Date.now(), detail: {}, error: '' };
      log.info('stage_started', { run_id, stage: name });
      await store?.stage({ ...row, status: 'running', took_ms: 0 });
      const from = performance.now();
      const end = (status: 'done' | 'failed'): number => {
        const took_ms = Math.round(performance.now() - from);
        STAGES.publish({ stage: name, status, took_ms });
        return took_ms;
      };
      try {
        const result = await work();
        const detail = about(result);
        const took_ms = end('done');
        log.info('stage_done', { run_id, stage: name, took_ms, ...detail });
        await store?.stage({ ...row, status: 'done', took_ms, detail });
        return result;
      } catch (error) {
        const took_ms = end('failed');
        log.warn('stage_failed', { run_id, stage: name, took_ms, error: messageOf(error) });
        await store?.stage({ ...row, status: 'failed', took_ms, error: messageOf(error) }).catch(() => undefined);
        throw error;
      }
    },
    async note(status, facts = {}) {
      known = { ...known, ...facts };
      log.info('training_run', { run_id, status, ...(facts.version === undefined ? {} : { version: facts.version }), ...(facts.error === undefined ? {} : { error: facts.error }) });
      await store?.run(status, known, Math.round(performance.now() - started));
    },
  };
}
