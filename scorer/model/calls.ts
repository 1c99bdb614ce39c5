import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { LoadedModel } from './load.js';
import type { ModelHolder } from './swap.js';

/** How long a failure is told after it; the log has one line for as long. */
const TROUBLE_MS = 5000;

export interface ModelCalls {
  /**
   * Scores rows by the model in service; where its call fails, by the one that served before it; where that fails too, row by
   * row, and a row that fails alone is NaN: no score. A failed call takes microseconds, so each chunk tries anew.
   * @returns the model whose scores they are
   * @throws TidemarkError PART_NOT_READY while no model serves
   */
  score(matrix: Float32Array, rows: number, out: Float64Array): LoadedModel;
  /** Calls to the model in service failed lately: why, and who scored instead (`nobody`: rows without a score). */
  trouble(): { readonly version: string; readonly served_by: string; readonly message: string } | undefined;
}

export interface ModelCallsOptions {
  readonly holder: Pick<ModelHolder, 'current' | 'standby'>;
  readonly log: Log;
  readonly now?: () => number;
  /** A call failed. */
  onFailed?(version: string, rows: number): void;
}

export function createModelCalls({ holder, log, now = () => performance.now(), onFailed }: ModelCallsOptions): ModelCalls {
  let failing: { readonly version: string; readonly message: string; at: number; served_by: string } | undefined;
  const lately = (): boolean => failing !== undefined && now() - failing.at < TROUBLE_MS;

  function failed({ manifest: { version } }: LoadedModel, rows: number, error: unknown): void {
    onFailed?.(version, rows);
    if (lately() && failing!.version === version) failing!.at = now();
    else {
      log.error('model_failed', error, { version, rows });
      failing = { version, message: messageOf(error), at: now(), served_by: 'nobody' };
    }
  }

  /** @returns what it failed with */
  function attempt(model: LoadedModel, matrix: Float32Array, rows: number, out: Float64Array): unknown {
    try {
      model.session.score(matrix, rows, out, 0);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  function rowByRow(model: LoadedModel, matrix: Float32Array, rows: number, out: Float64Array): void {
    const width = model.session.featureCount;
    const one = new Float64Array(1);
    for (let row = 0; row < rows; row++) {
      const error = rows === 1 ? true : attempt(model, matrix.subarray(row * width, (row + 1) * width), 1, one);
      out[row] = error === undefined ? (one[0] as number) : Number.NaN;
    }
  }

  return {
    score(matrix, rows, out) {
      const model = holder.current();
      if (model === undefined) throw new TidemarkError('PART_NOT_READY', 'no model serves yet');
      const error = attempt(model, matrix, rows, out);
      if (error === undefined) return model;
      failed(model, rows, error);
      const before = holder.standby();
      if (before !== undefined && attempt(before, matrix, rows, out) === undefined) {
        failing!.served_by = before.manifest.version;
        return before;
      }
      failing!.served_by = 'nobody';
      rowByRow(model, matrix, rows, out);
      return model;
    },
    trouble: () => (lately() ? { version: failing!.version, served_by: failing!.served_by, message: failing!.message } : undefined),
  };
}
