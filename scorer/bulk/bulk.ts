import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../runtime/log.js';
import type { FeatureView } from '../../schemas/features/declaration.js';
import { featureNames } from '../../schemas/features/derive.js';
import type { ApiLog } from '../api-log/log.js';
import { FAILED, NOT_READY, OVERLOADED, type Problem } from '../api/problem.js';
import type { LoadedModel } from '../model/load.js';
import type { ModelHolder } from '../model/swap.js';
import { fillFromPrediction } from '../store/prediction.js';
import type { BulkWork, FromWorker, ToWorker, WorkerSetup } from './messages.js';

/** Bodies that wait or are being read, in all; beyond it bulk requests are turned away. */
export const BULK_BYTES_MAX = 64 * 1024 * 1024;
/** Customers looked up in one turn of the event loop. */
const LOOKUPS_A_TURN = 200;
const HEAP_MB_MAX = 1024;
/** What is under way when the scorer stops has so long to end. */
const END_MS = 5000;

export interface BulkDone {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** Of infer: where the JSON ends and tensors begin. */
  readonly headerLength?: number;
}

/** Scores batches on a worker's thread. */
export interface Bulk {
  /** Keeps room for a body. @returns false where there is none */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** @param bytes are moved to the worker: they must own their buffer */
  run(what: BulkWork, bytes: Uint8Array<ArrayBuffer>, requestId: string, argument: number): Promise<BulkDone | Problem>;
  readonly state: { readonly waiting: number; readonly heldBytes: number; readonly rows: number };
  close(): Promise<void>;
}

export interface BulkOptions {
  readonly view: FeatureView;
  readonly holder: ModelHolder;
  readonly threshold: number;
  /** MODEL_NAME */
  readonly model: string;
  readonly log: Log;
  readonly apiLog?: Pick<ApiLog, 'block'>;
  latest(customerId: string): Buffer | undefined;
  observe(rows: number, ms: number): void;
}

export function createBulk({ view, holder, threshold, model: name, log, apiLog, latest, observe }: BulkOptions): Bulk {
  const setup: WorkerSetup = { names: featureNames(view), model: name, viewVersion: view.version, threshold };
  const width = setup.names.length;
  const waiting = new Map<number, (done: BulkDone | Problem) => void>();
  let worker: Worker | undefined;
  let loaded: LoadedModel | undefined;
  let heldBytes = 0;
  let count = 0;
  let rows = 0;

  const say = (to: Worker, message: ToWorker, ...moved: ArrayBuffer[]): void => to.postMessage(message, moved);

  function start(): Worker {
    const started = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });
    started.on('message', (message: FromWorker) => take(started, message));
    // A worker that ends takes what it had with it; the next request starts another.
    const ended = (error: unknown): void => {
      if (worker !== started) return;
      log.error('bulk_worker_ended', error);
      worker = loaded = undefined;
      for (const done of waiting.values()) done(FAILED);
      waiting.clear();
    };
    started.on('error', ended);
    started.on('exit', (code) => ended(`exit code ${code}`));
    started.unref();
    return started;
  }

  function take(from: Worker, message: FromWorker): void {
    if (message.kind === 'log') return apiLog?.block(message.bytes, message.rows);
    if (message.kind === 'lookup') return void lookUp(from, message.lookup, message.ids);
    const done = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'failed') log.error('predict_failed', message.message, { bulk: true });
    if (message.kind === 'done') {
      rows += message.rows;
      observe(message.rows, message.ms);
    }
    done?.(message.kind === 'done' ? message : message.kind === 'refused' ? message.problem : FAILED);
  }

  async function lookUp(from: Worker, lookup: number, ids: readonly string[]): Promise<void> {
    const values = new Float32Array(ids.length * width);
    const found = new Uint8Array(ids.length);
    for (const [i, id] of ids.entries()) {
      if (i > 0 && i % LOOKUPS_A_TURN === 0) await nextTurn();
      const framed = latest(id);
      if (framed === undefined) continue;
      fillFromPrediction(framed, width, values, i * width);
      found[i] = 1;
    }
    say(from, { kind: 'found', lookup, values, found }, values.buffer, found.buffer);
  }

  return {
    hold(bytes) {
      if (heldBytes > 0 && heldBytes + bytes > BULK_BYTES_MAX) return false;
      heldBytes += bytes;
      return true;
    },
    release(bytes) { heldBytes -= bytes; },
    run(what, bytes, requestId, argument) {
      const model = holder.current();
      if (model === undefined) return Promise.resolve(NOT_READY);
      worker ??= start();
      // Messages are taken in order: what is sent after a model is scored by it.
      if (loaded !== model) {
        loaded = model;
        say(worker, { kind: 'model', onnx: model.onnx, version: model.manifest.version });
      }
      const id = ++count;
      const done = new Promise<BulkDone | Problem>((resolve) => waiting.set(id, resolve));
      say(worker, { kind: 'work', id, what, bytes, argument, requestId }, bytes.buffer);
      return done;
    },
    state: { get waiting() { return waiting.size; }, get heldBytes() { return heldBytes; }, get rows() { return rows; } },
    async close() {
      const ending = worker;
      worker = undefined;
      if (ending !== undefined) {
        const ended = new Promise((resolve) => ending.once('exit', resolve));
        ending.ref();
        say(ending, { kind: 'end' });
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS).unref())]);
        await ending.terminate();
      }
      for (const done of waiting.values()) done(OVERLOADED);
      waiting.clear();
    },
  };
}
