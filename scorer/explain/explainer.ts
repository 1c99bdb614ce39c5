import { Worker } from 'node:worker_threads';
import { TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { testRows } from '../model/check.js';
import type { LoadedModel } from '../model/load.js';
import { MODELS_KEPT, type Contributions, type FromExplainer, type ToExplainer } from './messages.js';

/** Requests that wait for their explanation; more are refused at once. */
export const EXPLANATIONS_WAITING_MAX = 64;
const DEADLINE_MS = 2000;

export interface Explainer {
  /**
   * @param rows row-major, as many values a row as the model has features
   * @throws TidemarkError MODEL_NOT_EXPLAINABLE; PART_NOT_READY where too many wait, or the deadline is over
   */
  explain(model: LoadedModel, rows: Float32Array): Promise<Contributions>;
  stats(): { readonly waiting: number; readonly refused: number; readonly timed_out: number };
  stop(): Promise<void>;
}

interface Waiting { readonly version: string; resolve(contributions: Contributions): void; reject(error: Error): void; readonly timer: NodeJS.Timeout }

/** Explanations on a thread of their own, which starts with the first of them. */
export function createExplainer({ log, observe }: { readonly log: Log; observe?(rows: number, ms: number): void }): Explainer {
  let worker: Worker | undefined;
  let sent: LoadedModel[] = [];
  let keys = new WeakMap<LoadedModel, number>();
  let counter = 0;
  const waiting = new Map<number, Waiting>();
  const counts = { refused: 0, timed_out: 0 };

  const busy = (detail: string): TidemarkError => new TidemarkError('PART_NOT_READY', `explanations: ${detail}; ask again in a second`);

  function start(): Worker {
    const thread = new Worker(new URL('worker.js', import.meta.url));
    thread.unref();
    thread.on('message', (answer: FromExplainer) => {
      const one = take(answer.id);
      if (one === undefined) return;
      if (answer.kind === 'explained') one.resolve(answer);
      else one.reject(new TidemarkError('MODEL_NOT_EXPLAINABLE', `model ${one.version} cannot be explained: ${answer.reason}`));
    });
    thread.on('error', (error) => {
      log.error('explainer_failed', error);
      forget(thread);
    });
    thread.on('exit', () => forget(thread));
    return thread;
  }

  /** What the thread had to do is over; the next request starts another. */
  function forget(thread: Worker): void {
    if (worker !== thread) return;
    worker = undefined;
    sent = [];
    keys = new WeakMap();
    for (const id of [...waiting.keys()]) take(id)?.reject(busy('their thread ended'));
  }

  function take(id: number): Waiting | undefined {
    const one = waiting.get(id);
    waiting.delete(id);
    clearTimeout(one?.timer);
    return one;
  }

  /** The thread keeps the models that were sent last. */
  function keyOf(model: LoadedModel, post: (message: ToExplainer) => void): number {
    const known = sent.includes(model) ? keys.get(model) : undefined;
    if (known !== undefined) return known;
    const key = ++counter;
    keys.set(model, key);
    sent = [...sent, model].slice(-MODELS_KEPT);
    post({ kind: 'load', key, onnx: model.onnx, features: model.session.featureCount, test_rows: testRows(model.manifest), test_scores: model.manifest.test_outputs });
    return key;
  }

  return {
    async explain(model, rows) {
      if (waiting.size >= EXPLANATIONS_WAITING_MAX) {
        counts.refused++;
        throw busy(`${waiting.size} wait, which is the most`);
      }
      const thread = (worker ??= start());
      const post = (message: ToExplainer): void => thread.postMessage(message);
      const key = keyOf(model, post);
      const id = ++counter;
      const count = rows.length / model.session.featureCount;
      const startedAt = performance.now();
      const answer = new Promise<Contributions>((resolve, reject) => {
        const timer = setTimeout(() => {
          counts.timed_out++;
          take(id)?.reject(busy(`no answer within ${DEADLINE_MS} ms`));
        }, DEADLINE_MS);
        waiting.set(id, { version: model.manifest.version, resolve, reject, timer });
      });
      post({ kind: 'explain', id, key, rows, count });
      const contributions = await answer;
      observe?.(count, performance.now() - startedAt);
      return contributions;
    },
    stats: () => ({ waiting: waiting.size, ...counts }),
    async stop() {
      const thread = worker;
      if (thread === undefined) return;
      forget(thread);
      await thread.terminate();
    },
  };
}
