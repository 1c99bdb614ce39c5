import { messageOf, TidemarkError, type ErrorCode } from '../errors.js';
import type { Log } from '../log.js';
import type { CommitTurns, Turn } from './commit-turns.js';
import { OutputBuffer } from './output-buffer.js';
import type { KafkaRecord, PartitionTask } from './records.js';

export interface RunnerOptions {
  readonly partition: number;
  readonly task: PartitionTask;
  /** Shared by the partitions of the process. */
  readonly turns: CommitTurns;
  readonly log: Log;
  /** Position from which the group goes on: the committed offset, or the beginning where there is none. Checks that it still exists. */
  startOffset(): Promise<number>;
  /** Called when records can be taken from `offset` on: after opening and after every rollback. */
  onReady(offset: number): void;
  /** The process cannot go on. */
  fail(error: unknown): void;
  /** False while the brokers answer nobody: failures do not count then. */
  reachable?(): boolean;
  readonly batchRowsMax: number;
  readonly idleMs: number;
  readonly observe: RunnerMetrics;
  /** What must end before this begins: the former task of the same partition in this process. */
  readonly after: Promise<void>;
}

export interface RunnerMetrics {
  batch(partition: number, rows: number, processMs: number, commitMs: number): void;
  rolledBack(partition: number, code: string): void;
}

/** Rows between two looks at the clock: long batches must let heartbeats and fetches through. */
const SLICE_ROWS = 500;
const SLICE_MS_MAX = 8;
/** Fetches that wait at a time; a trickle comes in many small ones. */
const QUEUE_MAX = 64;
/** Failures in a row, with growing waits between, after which the process ends and is started afresh. */
const ATTEMPTS_MAX = 12;

/** Takes one assigned partition through its life: open, then batches of process → outputs → commit → apply, until stopped. */
export class PartitionRunner {
  /** Offset after the last queued batch, invisible records included; -1 while the partition is not open. */
  position = -1;
  highWatermark = 0;
  readonly done: Promise<void>;
  private readonly output: OutputBuffer;
  private queue: (readonly KafkaRecord[])[] = [];
  private queuedRows = 0;
  private committedNext = -1;
  private stopping = false;
  private readonly revoked = new AbortController();
  private wake: () => void = () => undefined;
  private drainListeners: (() => void)[] = [];

  constructor(private readonly options: RunnerOptions) {
    this.output = new OutputBuffer(options.partition);
    this.done = this.run();
  }

  get open(): boolean { return this.position >= 0; }
  get full(): boolean { return this.queue.length >= QUEUE_MAX || this.queuedRows >= this.options.batchRowsMax; }
  get lag(): number { return this.open ? Math.max(0, this.highWatermark - this.committedNext) : 0; }

  enqueue(records: readonly KafkaRecord[], nextOffset: number, highWatermark: number): void {
    this.highWatermark = highWatermark;
    if (!this.open || nextOffset <= this.position) return;
    const fresh = records[0] !== undefined && records[0].offset < this.position ? records.filter(({ offset }) => offset >= this.position) : records;
    this.position = nextOffset;
    if (fresh.length > 0) {
      this.queue.push(fresh);
      this.queuedRows += fresh.length;
    }
    this.wake();
  }

  /** Resolves when there is room in the queue. */
  drained(): Promise<void> {
    return this.full && !this.stopping ? new Promise((resolve) => this.drainListeners.push(resolve)) : Promise.resolve();
  }

  /** Ends after the transaction under way, or in the middle of a restore; what is queued is left to the next owner. */
  stop(): Promise<void> {
    this.stopping = true;
    this.revoked.abort();
    this.wake();
    this.notifyDrained();
    return this.done;
  }

  private async run(): Promise<void> {
    const { task, log, partition } = this.options;
    await this.options.after;
    let attempts = 0;
    while (!this.stopping) {
      try {
        await this.start();
        for (let worked = await this.step(); !this.stopping; worked = await this.step()) if (worked) attempts = 0;
      } catch (error) {
        this.position = -1;
        this.queue = [];
        this.queuedRows = 0;
        this.output.clear();
        this.notifyDrained();
        await task.rollback();
        if (this.stopping) break;
        const code = codeOf(error);
        this.options.observe.rolledBack(partition, code);
        if (this.options.reachable?.() ?? true) attempts++;
        if (!RECOVERABLE.has(code) || attempts > ATTEMPTS_MAX) return this.options.fail(error);
        log.warn('partition_rolled_back', { partition, code, message: messageOf(error), attempt: attempts });
        await this.sleep(Math.min(50 * 2 ** Math.max(1, attempts), 5000));
      }
    }
    await task.close();
  }

  private async start(): Promise<void> {
    const { task, turns, onReady } = this.options;
    await turns.open();
    // the position first: once it is stable no former owner can add to what the task then restores
    this.committedNext = await this.options.startOffset();
    await task.open(this.revoked.signal);
    this.position = this.committedNext;
    onReady(this.position);
  }

  /** One commit, or a wait where there is nothing to do. */
  private async step(): Promise<boolean> {
    const { task, turns, idleMs } = this.options;
    if (this.queue.length === 0) {
      const appended = task.idle !== undefined && (await task.idle(this.output));
      if (!appended && this.queue.length === 0 && !this.stopping) await this.sleep(idleMs);
      if (!appended && this.queue.length === 0) return false;
    }
    const turn = await turns.next(this.queuedRows);
    try {
      if (this.stopping) throw new TidemarkError('PRODUCER_FENCED', `partition ${this.options.partition} is being given away`);
      const startedAt = performance.now();
      const rows = await this.take();
      // outputs that are written once a commit
      await task.beforeCommit?.(this.output);
      return await this.commit(turn, rows, performance.now() - startedAt);
    } finally {
      turns.leave(turn);
    }
  }

  private async take(): Promise<number> {
    let rows = 0;
    while (rows < this.options.batchRowsMax && this.queue.length > 0) {
      const records = this.queue.shift()!;
      this.queuedRows -= records.length;
      rows += records.length;
      this.notifyDrained();
      await this.process(records);
    }
    return rows;
  }

  private async process(records: readonly KafkaRecord[]): Promise<void> {
    let since = performance.now();
    for (let at = 0; at < records.length; at += SLICE_ROWS) {
      await this.options.task.process(records.length <= SLICE_ROWS ? records : records.slice(at, at + SLICE_ROWS), this.output);
      if (performance.now() - since > SLICE_MS_MAX) {
        await new Promise((resolve) => setImmediate(resolve));
        since = performance.now();
      }
    }
  }

  /** Anything that fails before the last step leaves the partition to a rollback. */
  private async commit(turn: Turn, rows: number, processMs: number): Promise<boolean> {
    const { task, turns, observe, partition } = this.options;
    const startedAt = performance.now();
    // the position this commit reaches: up to the first record that is still queued
    const nextOffset = this.queue[0]?.[0]?.offset ?? this.position;
    const written = await turns.commit(turn, { partition, output: this.output, nextOffset });
    this.output.clear();
    this.committedNext = nextOffset;
    // the local store follows what is durable
    await task.committed(nextOffset, (topic) => written.get(topic));
    observe.batch(partition, rows, processMs, performance.now() - startedAt);
    return true;
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  private notifyDrained(): void {
    const listeners = this.drainListeners;
    this.drainListeners = [];
    for (const listener of listeners) listener();
  }
}

const RECOVERABLE = new Set<string>(['PRODUCER_FENCED', 'TRANSACTION_FAILED', 'BROKER_UNREACHABLE', 'CONSUMER_STALLED', 'CLICKHOUSE_UNREACHABLE', 'REGISTRY_UNREACHABLE']);

function codeOf(error: unknown): ErrorCode {
  if (error instanceof TidemarkError) return error.code;
  return error instanceof Error && error.name.startsWith('KafkaJS') ? 'BROKER_UNREACHABLE' : 'INTERNAL';
}
