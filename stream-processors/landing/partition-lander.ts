import { messageOf } from '../../runtime/errors.js';
import type { KafkaRecord } from '../../runtime/kafka/records.js';
import type { Log } from '../../runtime/log.js';
import type { Committer } from './committer.js';
import { Block } from './core/block.js';
import { decodeIntent, encodeIntent } from './core/intent.js';
import type { Former, Inserter } from './inserter.js';
import type { TableSpec } from './table.js';

export interface LanderOptions {
  readonly spec: TableSpec;
  readonly partition: number;
  readonly inserter: Inserter;
  readonly committer: Committer;
  readonly log: Log;
  readonly batchRows: number;
  readonly flushMs: number;
  /** Rows can be taken again. */
  readonly onRoom: () => void;
}

/** Bytes of a block: what one insert sends, and with two blocks and a fetch the most that a partition holds. */
const BLOCK_BYTES_MAX = 32 * 1024 * 1024;
/** ClickHouse remembers a bounded number of tokens: an intent older than this is settled by the rows that are there. */
const TOKEN_MS_MAX = 120_000;
const ENCODE_RETRY_MS = 1000;
/** Records encoded between two looks at the clock. */
const SLICE_RECORDS = 2000;

/**
 * Lands one partition for as long as this process owns it: records → block → intent committed → block inserted → next.
 * The commit of a block's boundaries, at its first offset, says two things at once: everything below is landed, and this
 * block may be. Whoever owns the partition next makes the same block again and inserts it with the same token.
 */
export class PartitionLander {
  /** Offset after the last record taken; -1 until it is known. */
  position = -1;
  highWatermark = 0;
  private closed = false;
  private draining = false;
  /** A record of the filling block is being made (its schema is fetched): until then time does not close the block. */
  private making = false;
  private filling: Block | undefined;
  /** Closed blocks, the first of which is being inserted. */
  private readonly sealed: Block[] = [];
  /** The end of the block that a former owner set out to insert; -1 where there is none. */
  private redoTo = -1;
  private redo: Block | undefined;
  private redoFormer: Former = 'block';
  /** Blocks that begin at or below this offset may be in the table in part, with other boundaries. */
  private presentUpTo = -1;
  private landed = -1;
  private committed = -1;
  private wake: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: LanderOptions) {}

  get open(): boolean { return this.position >= 0 && !this.closed; }
  get lag(): number { return Math.max(0, this.highWatermark - Math.max(0, this.landed)); }
  get bufferedRows(): number { return this.blocks.reduce((sum, block) => sum + block.count, 0); }
  get bufferedBytes(): number { return this.blocks.reduce((sum, block) => sum + block.bytes, 0); }
  get full(): boolean { return this.sealed.length >= 2; }
  private get blocks(): Block[] { return this.filling === undefined ? this.sealed : [...this.sealed, this.filling]; }

  /** What is known before it can start: where the group stands and where the partition ends. */
  announce(from: number, highWatermark: number): void {
    this.landed = from;
    this.highWatermark = highWatermark;
  }

  /** @param committed the group's offset and metadata; an offset below 0: the group never committed, begin at `low` */
  start(committed: { offset: number; metadata: string | null }, low: number, presentUpTo: number): void {
    const from = committed.offset < 0 ? low : committed.offset;
    const intent = committed.offset < 0 ? undefined : decodeIntent(committed.metadata, from);
    this.redoTo = intent?.to ?? -1;
    this.redoFormer = intent !== undefined && Date.now() - intent.at_ms > TOKEN_MS_MAX ? 'rows' : 'block';
    this.presentUpTo = presentUpTo;
    this.position = this.landed = from;
    this.committed = intent === undefined ? committed.offset : -1;
    if (intent !== undefined) this.options.log.info('block_redone', { topic: this.options.spec.topic, partition: this.options.partition, from, to: intent.to });
    this.running = this.run();
  }

  /** Takes the records of one fetch, in order. @param next the offset after all of it, the invisible included */
  async take(records: readonly KafkaRecord[], next: number, heartbeat: () => Promise<void>): Promise<void> {
    const { spec, partition } = this.options;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (record.offset < this.position) continue;
      const block = this.blockFor(record.offset);
      block.rows.reserve(1024);
      const made = spec.encode(record, partition, block.rows);
      if (typeof made !== 'boolean') this.making = true;
      const madeRow = typeof made === 'boolean' ? made : await this.eventually(made, record, block, heartbeat);
      // A drain has closed the block without this record: it is left, with all behind it, to the next owner.
      if (this.closed || this.filling !== block) return;
      block.seen(record.offset, record.timestamp, madeRow);
      if (this.making) {
        this.making = false;
        this.wake();
      }
      this.position = record.offset + 1;
      if (this.redoTo < 0 && (block.count >= this.options.batchRows || block.bytes >= BLOCK_BYTES_MAX)) this.seal();
      if (i % SLICE_RECORDS === SLICE_RECORDS - 1) await new Promise((resolve) => setImmediate(resolve));
      if (this.closed) return;
    }
    this.advance(next);
  }

  /** Nothing visible stands below `next`. */
  advance(next: number): void {
    if (next > this.position) this.position = next;
    if (this.redoTo >= 0 && this.position >= this.redoTo) this.seal();
    if (this.filling === undefined && this.sealed.length === 0 && this.position > this.landed) {
      this.landed = this.position;
      this.wake();
    }
  }

  /** Inserts what is there and writes down where it ends; nothing is taken any more. */
  async drain(): Promise<void> {
    this.draining = true;
    // a block that is to be made again is left to the next owner when its end has not come
    if (this.redoTo < 0) this.seal();
    this.wake();
    await this.running;
  }

  /** The partition is someone else's, or was given anew: what is held here is dropped, for it is not written down as landed. */
  close(): void {
    this.closed = true;
    this.wake();
  }

  private blockFor(offset: number): Block {
    if (this.redoTo >= 0 && offset >= this.redoTo) this.seal();
    if (this.filling === undefined) {
      this.filling = new Block(this.redoTo >= 0 ? this.landed : offset, Date.now());
      // the first row of an idle partition starts the clock
      this.wake();
    }
    return this.filling;
  }

  private seal(): void {
    if (this.redoTo >= 0) {
      if (this.filling !== undefined) this.filling.to = this.redoTo;
      this.redoTo = -1;
      this.redo = this.filling;
    }
    if (this.filling !== undefined) this.sealed.push(this.filling);
    this.filling = undefined;
    this.wake();
  }

  private async eventually(made: Promise<boolean>, record: KafkaRecord, block: Block, heartbeat: () => Promise<void>): Promise<boolean> {
    const { spec, partition, log } = this.options;
    const start = block.rows.at;
    for (let attempt = made; ; attempt = Promise.resolve(spec.encode(record, partition, block.rows))) {
      try {
        return await attempt;
      } catch (error) {
        block.rows.at = start;
        if (this.closed || this.filling !== block) return false;
        log.warn('record_waits', { topic: spec.topic, partition, offset: record.offset, message: messageOf(error) });
        await new Promise((resolve) => setTimeout(resolve, ENCODE_RETRY_MS));
        await heartbeat();
      }
    }
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const block = this.sealed[0];
      if (block !== undefined) {
        if (!(await this.land(block))) return;
        continue;
      }
      if (this.draining) break;
      if (this.making) {
        await this.sleep(Infinity);
        continue;
      }
      const dueInMs = this.filling === undefined || this.redoTo >= 0 ? Infinity : this.filling.openedAtMs + this.options.flushMs - Date.now();
      if (dueInMs <= 0) this.seal();
      else if (dueInMs === Infinity && this.mayCommit) await this.commit(this.landed, '', () => this.filling === undefined && this.sealed.length === 0);
      else await this.sleep(dueInMs);
    }
    if (!this.closed && this.mayCommit) await this.commit(this.landed, '', () => true);
  }

  /** Something is landed that is not written down, and can be: an idle partition's beginning is no reason to hold up a stop. */
  private get mayCommit(): boolean {
    return this.landed > this.committed && this.redoTo < 0 && this.options.committer.ready;
  }

  /** One block, its steps in order. A kill between any two of them leaves the next owner at the same block. */
  private async land(block: Block): Promise<boolean> {
    const { spec, partition, inserter } = this.options;
    const wanted = (): boolean => !this.closed;
    if (!block.empty) {
      // 1. everything below is landed, this block is on its way: refused unless this process owns the partition
      if (block !== this.redo && !(await this.commit(block.from, encodeIntent({ to: block.to, at_ms: Date.now() }), () => true))) return false;
      // 2. the block, under a token that its boundaries make
      const former: Former = block.from <= this.presentUpTo ? 'rows' : block === this.redo ? this.redoFormer : 'none';
      if (!(await inserter.insert(spec, partition, block, former, wanted))) return false;
    }
    if (block === this.redo) this.redo = undefined;
    // 3. the next intent, or the commit of an idle partition, writes down that it is landed
    this.landed = this.sealed[1]?.from ?? this.filling?.from ?? this.position;
    this.sealed.shift();
    this.options.onRoom();
    return true;
  }

  private async commit(offset: number, metadata: string, stillTrue: () => boolean): Promise<boolean> {
    const { spec: { topic }, partition, committer } = this.options;
    const written = await committer.commit({ topic, partition, offset, metadata }, () => !this.closed && stillTrue());
    if (written && metadata === '') this.committed = offset;
    return written;
  }

  /** Until something happens, or `ms` at most. */
  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}
