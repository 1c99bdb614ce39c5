import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import { NOT_READY, type Problem } from '../api/problem.js';
import type { ModelHolder } from '../model/swap.js';
import type { BulkWork, WorkerSetup } from './messages.js';
import { createBulkThread, type BulkDone, type BulkThread, type BulkThreadOptions } from './thread.js';

/** Bodies that wait or are being read, in all; beyond it bulk requests are turned away. */
export const BULK_BYTES_MAX = 64 * 1024 * 1024;

/** Scores batches on threads of their own. */
export interface Bulk {
  /** Keeps room for a body. @returns false where there is none */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /**
   * Works are done side by side: a later one may be done first.
   * @param bytes are moved to a worker: they must own their buffer
   */
  run(what: BulkWork, bytes: Uint8Array<ArrayBuffer>, requestId: string, argument: number): Promise<BulkDone | Problem>;
  readonly state: { readonly waiting: number; readonly heldBytes: number; readonly rows: number };
  close(): Promise<void>;
}

export interface BulkOptions extends Omit<BulkThreadOptions, 'setup'> {
  readonly view: FeatureView;
  readonly holder: ModelHolder;
  readonly threshold: number;
  /** MODEL_NAME */
  readonly model: string;
  /** SCORER_BULK_THREADS */
  readonly threads: number;
}

export function createBulk({ view, holder, threshold, model: name, threads: count, observe, ...rest }: BulkOptions): Bulk {
  const setup: WorkerSetup = { names: featureNames(view), model: name, viewVersion: view.version, threshold };
  let heldBytes = 0;
  let rows = 0;
  const threads: readonly BulkThread[] = Array.from({ length: count }, () => createBulkThread({
    ...rest, setup,
    observe(scored, ms) {
      rows += scored;
      observe(scored, ms);
    },
  }));
  /** Of those with the least to do the first: another worker begins only where there is work for it. */
  const idlest = (): BulkThread => threads.reduce((best, thread) => (thread.waiting < best.waiting ? thread : best));

  return {
    hold(bytes) {
      if (heldBytes > 0 && heldBytes + bytes > BULK_BYTES_MAX) return false;
      heldBytes += bytes;
      return true;
    },
    release(bytes) { heldBytes -= bytes; },
    run(what, bytes, requestId, argument) {
      const model = holder.current();
      return model === undefined ? Promise.resolve(NOT_READY) : idlest().run(model, what, bytes, requestId, argument);
    },
    state: { get waiting() { return threads.reduce((sum, { waiting }) => sum + waiting, 0); }, get heldBytes() { return heldBytes; }, get rows() { return rows; } },
    close: async () => void await Promise.all(threads.map((thread) => thread.close())),
  };
}
