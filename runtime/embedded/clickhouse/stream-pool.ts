import { Worker } from 'node:worker_threads';

export type ToWorker =
  | { kind: 'start'; id: number; preamble: string; sql: string; format: string }
  | { kind: 'next'; id: number }
  | { kind: 'end'; id: number };
export type FromWorker =
  | { kind: 'chunk'; id: number; bytes: Uint8Array<ArrayBuffer>; rows: number }
  | { kind: 'done'; id: number }
  | { kind: 'failed'; id: number; message: string };

export interface Chunk { readonly bytes: Uint8Array; readonly rows: number }

/** One result, chunk by chunk; the next chunk is asked for when the one before is taken. */
export interface ResultStream extends AsyncIterable<Chunk> {
  /** The first chunk, or undefined for a result without rows. @throws what the statement failed with */
  first(): Promise<Chunk | undefined>;
  /** Gives the result up. The statement itself is stopped by the caller's KILL. */
  end(): void;
}

const THREADS = 4;

interface Waiting { resolve(message: FromWorker): void }

/** Threads that read results; each serves several streams, except while one of them starts. */
export class StreamPool {
  private readonly threads: { worker: Worker; active: number }[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  constructor(private readonly dataDir: string) {}

  open(preamble: string, sql: string, format: string): ResultStream {
    const id = ++this.count;
    const thread = this.pick();
    thread.active++;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      thread.active--;
      post({ kind: 'end', id });
    };
    const post = (message: ToWorker): void => thread.worker.postMessage(message);
    const ask = (message: ToWorker): Promise<Chunk | undefined> => new Promise<FromWorker>((resolve) => {
      this.waiting.set(id, { resolve });
      post(message);
    }).then((answer) => {
      if (answer.kind === 'chunk') return { bytes: answer.bytes, rows: answer.rows };
      end();
      if (answer.kind === 'failed') throw new Error(answer.message);
      return undefined;
    });
    const first = ask({ kind: 'start', id, preamble, sql, format });
    first.catch(() => undefined);
    return {
      first: () => first,
      end,
      async *[Symbol.asyncIterator]() {
        try {
          for (let chunk = await first; chunk !== undefined; chunk = await ask({ kind: 'next', id })) yield chunk;
        } finally {
          end();
        }
      },
    };
  }

  /** The idlest thread; a new one while all are busy and there are fewer than THREADS. */
  private pick(): { worker: Worker; active: number } {
    const idlest = this.threads.toSorted((a, b) => a.active - b.active)[0];
    if (idlest !== undefined && (idlest.active === 0 || this.threads.length >= THREADS)) return idlest;
    const worker = new Worker(new URL('stream-worker.js', import.meta.url), { workerData: this.dataDir });
    worker.on('message', (message: FromWorker) => {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      waiting?.resolve(message);
    });
    worker.on('error', (error) => { throw error; });
    const thread = { worker, active: 0 };
    this.threads.push(thread);
    return thread;
  }
}
