import type { Log } from '../../runtime/log.js';
import { stage } from '../stage.js';

export type RunStatus = 'running' | 'trained' | 'deployed' | 'kept' | 'failed';

/** One training from its first stage to the decision about its model. Equal ids are the same training, done again. */
export interface TrainingRun {
  readonly run_id: string;
  /** Runs one stage of it: log lines, duration, metric, row. */
  stage<T>(name: string, work: () => Promise<T>, about?: (result: T) => Record<string, unknown>): Promise<T>;
  /** Its state so far, and, but for `running` and `trained`, its end. */
  note(status: RunStatus, about?: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A run that is only logged. */
export function loggedRun(run_id: string, log: Log): TrainingRun {
  return {
    run_id,
    stage: (name, work, about) => stage(log, name, work, about),
    async note(status, about = {}) { log.info('training_run', { run_id, status, ...about }); },
  };
}
