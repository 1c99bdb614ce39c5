import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../runtime/log.js';
import type { ApiLog } from '../api-log/log.js';
import { FAILED, OVERLOADED, type Problem } from '../api/problem.js';
import type { LoadedModel } from '../model/load.js';
import { fillFromPrediction } from '../store/prediction.js';
import type { BulkWork, FromWorker, ToWorker, WorkerSetup } from './messages.js';

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

/** One worker, begun with its first work, and what waits for it. */
export interface BulkThread {
  run(model: LoadedModel, what: BulkWork, bytes: Uint8Array<ArrayBuffer>, requestId: string, argument: number): Promise<BulkDone | Problem>;
  /** Works that are not done. */
  readonly waiting: number;
  close(): Promise<void>;
}

export interface BulkThreadOptions {
  readonly setup: WorkerSetup;
  readonly log: Log;
  readonly apiLog?: Pick<ApiLog, 'block'>;
  latest(customerId: string): Buffer | undefined;
  observe(rows: number, ms: number): void;
}

export function createBulkThread({ setup, log, apiLog, latest, observe }: BulkThreadOptions): BulkThread {
  const width = setup.names.length;
  const waiting = new Map<number, (done: BulkDone | Problem) => void>();
  let worker: Worker | undefined;
  let loaded: LoadedModel | undefined;
  let count = 0;

  const say = (to: Worker, message: ToWorker, ...moved: ArrayBuffer[]): void => to.postMessage(message, moved);

  function start(): Worker {
    const started = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });
    started.on('message', (message: FromWorker) => take(started, message));
    // A worker that ends takes what it had with it; the next request starts another.
    const ended = (error: unknown): void => {
      if (worker !== started) return;
      log.error('bulk_worker_ended', error);
      worker = loaded = undefined;
      giveUp(FAILED);
    };
    started.on('error', ended);
    started.on('exit', (code) => ended(`exit code ${code}`));
    started.unref();
    return started;
  }

  function giveUp(problem: Problem): void {
    for (const done of waiting.values()) done(problem);
    waiting.clear();
  }

  function take(from: Worker, message: FromWorker): void {
    if (message.kind === 'log') return apiLog?.block(message.bytes, message.rows);
    if (message.kind === 'lookup') return void lookUp(from, message.lookup, message.ids);
    const done = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'failed') log.error('predict_failed', message.message, { bulk: true });
    if (message.kind === 'done') observe(message.rows, message.ms);
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
    get waiting() { return waiting.size; },
    run(model, what, bytes, requestId, argument) {
      worker ??= start();
      // Messages are taken in order: what is sent after a model is scored by it.
      if (loaded !== model) {
        loaded = model;
        say(worker, { kind: 'model', onnx: model.onnx, version: model.manifest.version, runtime: model.session.runtime });
      }
      const id = ++count;
      const done = new Promise<BulkDone | Problem>((resolve) => waiting.set(id, resolve));
      say(worker, { kind: 'work', id, what, bytes, argument, requestId }, bytes.buffer);
      return done;
    },
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
      giveUp(OVERLOADED);
    },
  };
}
