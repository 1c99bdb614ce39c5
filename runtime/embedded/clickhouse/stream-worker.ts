import { parentPort, workerData } from 'node:worker_threads';
import { loadNative, type Handle } from './native.js';
import type { FromWorker, ToWorker } from './stream-pool.js';

/**
 * Reads results chunk by chunk on a thread of its own: starting a stream evaluates scalar subqueries before it returns,
 * which on the main thread would hold up every other request. Chunks are fetched ahead of the client by one.
 */
const native = loadNative();
const dataDir = workerData as string;
const port = parentPort!;
const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
interface Open { readonly connection: Handle; readonly stream: Handle; fetching: Promise<unknown> }
const open = new Map<number, Open>();

port.on('message', (message: ToWorker) => {
  if (message.kind === 'start') void start(message);
  else if (message.kind === 'next') void next(message.id);
  else void end(message.id);
});

async function start({ id, preamble, sql, format }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
  const connection = native.CreateConnection(dataDir);
  try {
    await native.QueryAsyncConnection(connection, preamble, 'Null');
    open.set(id, { connection, stream: native.StreamQuery(connection, sql, format), fetching: Promise.resolve() });
  } catch (error) {
    native.CloseConnection(connection);
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
    return;
  }
  await next(id);
}

async function next(id: number): Promise<void> {
  const one = open.get(id);
  if (one === undefined) return;
  try {
    const fetching = native.StreamFetch(one.stream);
    one.fetching = fetching.catch(() => undefined);
    const chunk = await fetching;
    if (chunk.done) {
      await end(id);
      send({ kind: 'done', id });
    } else {
      // The engine owns the chunk's memory until the next fetch.
      const bytes = Uint8Array.from(chunk.bytes);
      send({ kind: 'chunk', id, bytes, rows: chunk.numRows }, [bytes.buffer]);
    }
  } catch (error) {
    await end(id);
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function end(id: number): Promise<void> {
  const one = open.get(id);
  if (one === undefined) return;
  open.delete(id);
  await one.fetching;
  native.StreamCancel(one.stream);
  native.CloseConnection(one.connection);
}
