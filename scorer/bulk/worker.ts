import { setPriority } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../runtime/errors.js';
import { TREES_RUNTIME } from '../../runtime/models/scoring-runtime.js';
import { openSession } from '../../runtime/models/session.js';
import { createBlockWriter, FLUSH_MS } from '../api-log/block.js';
import { unknownCustomer, type Problem } from '../api/problem.js';
import { InferError } from '../inference/core/request.js';
import { bytesOf, infer } from '../inference/infer.js';
import { openKnownWalk } from '../model/walk.js';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.js';
import { createBatchReader, type Rows } from './rows.js';
import { batchJson, batchLines, scoreRows, type BulkModel, type Scores } from './score.js';

/**
 * Bulk work on a thread of its own, with a session of its own: bodies come as bytes and answers go as bytes, so that the
 * thread that answers single requests neither parses nor scores nor writes them.
 */
const setup = workerData as WorkerSetup;
const port = parentPort!;
const say = (message: FromWorker, ...moved: ArrayBuffer[]): void => port.postMessage(message, moved);
const reader = createBatchReader(setup.names);
const width = setup.names.length;
const text = new TextEncoder();
let model: BulkModel | undefined;

// On Linux this is the thread's own: where cores are scarce, single requests come first.
if (process.platform === 'linux') setPriority(10);

const log = createBlockWriter(setup.viewVersion, width, (bytes, rows) => say({ kind: 'log', bytes, rows }, bytes.buffer));
const lookups = new Map<number, (found: { values: Float32Array; found: Uint8Array }) => void>();
let lookupCount = 0;

/** Puts the values of known customers into their rows. @returns rows of unknown ones */
async function lookUp(customers: Rows['customers']): Promise<Map<number, Problem>> {
  const absent = new Map<number, Problem>();
  if (customers.length === 0) return absent;
  const lookup = ++lookupCount;
  const { values, found } = await new Promise<{ values: Float32Array; found: Uint8Array }>((resolve) => {
    lookups.set(lookup, resolve);
    say({ kind: 'lookup', lookup, ids: customers.map(({ id }) => id) });
  });
  for (const [i, { row, id }] of customers.entries()) {
    if (found[i] === 1) reader.matrix.set(values.subarray(i * width, (i + 1) * width), row * width);
    else absent.set(row, unknownCustomer(id));
  }
  return absent;
}

/** Bodies that came together are read one behind the other and scored in one go: small ones cost a row as large ones do. */
async function scoreTogether(group: readonly Work[]): Promise<void> {
  const startedAt = performance.now();
  const read: { work: Work; rows: Rows }[] = [];
  let end = 0;
  for (const work of group) {
    const rows = work.what === 'json' ? reader.json(work.bytes, end) : work.what === 'csv' ? reader.csv(work.bytes) : reader.lines(work.bytes);
    if ('status' in rows) say({ kind: 'refused', id: work.id, problem: rows });
    else {
      read.push({ work, rows });
      end += rows.count;
    }
  }
  const absent = await lookUp(read.flatMap(({ rows }) => rows.customers));
  const by = model!;
  const scored = scoreRows(by, reader.matrix, end);
  const scoredAt = Date.now();
  const ms = performance.now() - startedAt;
  for (const { work, rows } of read) {
    const bytes = text.encode((work.what === 'lines' ? batchLines : batchJson)(by, rows, scored, scoredAt, absent)) as Uint8Array<ArrayBuffer>;
    say({ kind: 'done', id: work.id, bytes, rows: rows.count, ms: end === 0 ? 0 : (ms * rows.count) / end }, bytes.buffer);
  }
  for (const { work, rows } of read) logRows(work, rows, scored, scoredAt, absent, by);
}

function logRows({ requestId, argument }: Work, rows: Rows, { scores, degraded }: Scores, scoredAt: number, absent: ReadonlyMap<number, Problem>, by: BulkModel): void {
  const names = new Map(rows.customers.map(({ row, id }) => [row, id]));
  const { matrix } = reader;
  for (let i = rows.from; i < rows.from + rows.count; i++) {
    if (absent.has(i) || rows.problems.has(i)) continue;
    const score = scores[i] as number;
    log.add({ requestId, row: argument + i - rows.from, source: 'batch', customerId: names.get(i) ?? '', scoredAt, score, atRisk: score >= by.threshold, modelVersion: by.version, degraded: degraded[i] === 1 }, matrix, i * width);
  }
}

function inferNow(id: number, bytes: Uint8Array, headerLength: number, requestId: string, startedAt: number): void {
  try {
    const { answer, rows } = infer(bytes, headerLength, { ...model!, name: setup.model }, requestId, log);
    const whole = bytesOf(answer);
    say({ kind: 'done', id, ...whole, rows, ms: performance.now() - startedAt }, whole.bytes.buffer);
  } catch (error) {
    if (!(error instanceof InferError)) throw error;
    say({ kind: 'refused', id, problem: { status: 400, code: 'INPUT_INVALID', detail: error.message } });
  }
}

/** By what scores on the event loop: a row has one score, however it comes. */
function load({ onnx, version, runtime }: Extract<ToWorker, { kind: 'model' }>): void {
  const session = runtime === TREES_RUNTIME ? openKnownWalk(onnx, width) : openSession(onnx, width, version);
  model?.session.release();
  model = { session, version, viewVersion: setup.viewVersion, threshold: setup.threshold };
}

type Work = Extract<ToWorker, { kind: 'work' }>;
/** Bytes of bodies that are scored together. */
const TOGETHER_BYTES = 256 * 1024;
const queue: Exclude<ToWorker, { kind: 'found' }>[] = [];

/** The lists that stand next in the queue, up to the bound; else the next work alone. */
function nextWorks(first: Work): Work[] {
  const works = [first];
  let bytes = first.bytes.length;
  for (let next = queue[0]; first.what === 'json' && next?.kind === 'work' && next.what === 'json' && bytes + next.bytes.length <= TOGETHER_BYTES; next = queue[0]) {
    queue.shift();
    works.push(next);
    bytes += next.bytes.length;
  }
  return works;
}

/** One after the other: a body that waits for its customers holds the reader's matrix. */
let running = false;
async function run(): Promise<void> {
  running = true;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (next.kind === 'model') load(next);
    else if (next.kind === 'end') return end();
    else {
      const works = nextWorks(next);
      try {
        if (next.what === 'infer') inferNow(next.id, next.bytes, next.argument, next.requestId, performance.now());
        else await scoreTogether(works);
      } catch (error) {
        for (const { id } of works) say({ kind: 'failed', id, message: messageOf(error) });
      }
    }
    // What came meanwhile is to be seen, and lookups answered.
    await nextTurn();
  }
  running = false;
}

/** A thread that is ended within a call to ONNX Runtime takes the process with it. */
function end(): void {
  clearInterval(flushing);
  log.flush();
  model?.session.release();
  port.close();
}

const flushing = setInterval(log.flush, FLUSH_MS);
port.on('message', (message: ToWorker) => {
  if (message.kind === 'found') {
    lookups.get(message.lookup)?.(message);
    lookups.delete(message.lookup);
    return;
  }
  queue.push(message);
  if (!running) void nextTurn().then(() => (running ? undefined : run()));
});
