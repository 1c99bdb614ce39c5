import type { Log } from '../../runtime/log.js';
import { hotEvent, UNPREPARED, type EventDecoder } from '../../runtime/events/event-decoder.js';
import type { PartitionReader } from '../../runtime/kafka/cluster.js';
import { partitionOf } from '../../runtime/kafka/partitioner.js';
import type { KafkaRecord, PartitionTask, TransactionOutput } from '../../runtime/kafka/records.js';
import type { OffsetRange } from '../../runtime/kafka/read-partition.js';
import { TidemarkError } from '../../runtime/errors.js';
import { deadLetterHeaders, type Rejection } from '../../schemas/events/dead-letter.js';
import type { FeatureEncoder, FeatureHeader } from '../../schemas/features/encode.js';
import { StateFormatError, type Reducer, type State } from './core/reducer.js';
import { StreamClock } from './core/stream-clock.js';
import { isLive, sweepClock } from './core/sweep-due.js';
import type { ProcessorMetrics } from './metrics.js';
import { StateCache, type Entry } from './state/cache.js';
import { restorePartition, SPREAD_KEY } from './state/restore.js';
import { StagedStates } from './state/staged.js';
import type { PartitionStore, StorePosition } from './state/store.js';
import { Sweep } from './sweep.js';

export interface FeatureTopics {
  readonly events: string;
  readonly features: string;
  readonly changelog: string;
  readonly deadLetters: string;
}

export interface FeatureTaskOptions {
  readonly topics: FeatureTopics;
  readonly partition: number;
  readonly partitions: number;
  readonly reducer: Reducer;
  readonly decoder: EventDecoder;
  readonly encoder: FeatureEncoder;
  readonly store: PartitionStore;
  readonly reader: PartitionReader;
  changelogRange(partition: number): Promise<OffsetRange>;
  /** Before it, records on the wrong partition were forwarded by an earlier computation of the features. */
  forwardedBefore(partition: number): Promise<number>;
  readonly cacheCustomers: number;
  readonly sweep: { readonly intervalMs: number; readonly silenceMs: number; readonly rowsPerS: number };
  readonly metrics: ProcessorMetrics;
  readonly log: Log;
  readonly now: () => number;
  onClose(): void;
}

/** How many transactions' states may wait for the store's disk before the next transaction waits for it. */
const FLUSHES_MAX = 4;

/** Features of the customers of one partition: state in memory and on disk, vectors, changelog and dead letters as outputs. */
export class FeatureTask implements PartitionTask {
  private readonly cache: StateCache<State>;
  private readonly event = hotEvent();
  private readonly header: FeatureHeader;
  private readonly vector: Float64Array;
  private record = Buffer.allocUnsafe(4096);
  private dirty: Entry<State>[] = [];
  private staged = new StagedStates();
  private readonly spare: StagedStates[] = [];
  private readonly flushes = new Set<Promise<void>>();
  private position!: StorePosition;
  private clock = new StreamClock(0);
  private live = false;
  private sweep!: Sweep;
  private spreadKnown = false;
  private forwardedBefore = 0;
  private failure: unknown;
  private readonly counts = { accepted: 0, duplicate: 0, too_late: 0 };

  constructor(private readonly options: FeatureTaskOptions) {
    this.cache = new StateCache(options.cacheCustomers);
    this.vector = new Float64Array(options.reducer.features);
    this.header = options.encoder.createHeader();
  }

  get cached(): number { return this.cache.size; }

  async open(revoked?: AbortSignal): Promise<void> {
    const { partition, partitions, reader, store, metrics, log, sweep } = this.options;
    const startedAt = this.options.now();
    const range = await this.options.changelogRange(partition);
    const { position, records, spreadKnown } = await restorePartition({
      reader, store, range, partition, partitions, revoked,
      topic: this.options.topics.changelog,
      onProgress: (done, of) => metrics.restore.set({ partition: String(partition) }, done / of),
    });
    this.forwardedBefore = await this.options.forwardedBefore(partition);
    metrics.restore.set({ partition: String(partition) }, 1);
    log.info('restored', { partition, records, customers: store.count(), ms: this.options.now() - startedAt });
    this.position = position;
    this.spreadKnown = spreadKnown;
    this.clock = new StreamClock(position.streamTimeMs);
    this.sweep = new Sweep({
      ...sweep, store,
      clock: () => sweepClock(this.live, this.clock.nowMs, this.options.now()),
      eventTimeOf: (state) => this.eventTimeOf(state),
    }, position.sweptAtMs, this.options.now());
  }

  async process(records: readonly KafkaRecord[], output: TransactionOutput): Promise<void> {
    const { decoder } = this.options;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      const { value, timestamp } = record;
      let answer = decoder.decodeHot(value, timestamp, this.event);
      while (answer === UNPREPARED) {
        await decoder.prepare(value!);
        answer = decoder.decodeHot(value, timestamp, this.event);
      }
      if (answer === undefined) this.take(record, output);
      else this.deadLetter(record, output, answer);
    }
  }

  private take(record: KafkaRecord, output: TransactionOutput): void {
    const { reducer, metrics, partition, partitions } = this.options;
    const { event } = this;
    let entry = this.cache.get(event.customerId);
    if (entry === undefined) {
      const home = partitionOf(event.customerId, partitions);
      if (home !== partition) {
        const again = record.offset < this.forwardedBefore;
        if (!again) output.appendTo(this.options.topics.events, home, Buffer.from(event.customerId), record.value, record.headers);
        metrics.events.inc({ outcome: again ? 'forwarded_before' : 'forwarded' });
        return;
      }
      entry = this.load(event.customerId);
    }
    const outcome = reducer.update(entry.state, event.typeCode, event.amount, event.quantity, event.timeMs, event.idHash);
    if (!entry.dirty) {
      entry.dirty = true;
      this.dirty.push(entry);
    }
    if (outcome === 0) {
      this.clock.take(event.timeMs);
      this.live = isLive(this.live, record.timestamp, event.timeMs, this.clock.nowMs);
      this.counts.accepted++;
      reducer.vector(entry.state, 0, this.vector, 0);
      this.write(output, event.customerId, event.eventId, event.timeMs, 0, record.timestamp, event.channel);
    } else if (outcome === 1) {
      this.counts.duplicate++;
    } else {
      this.counts.too_late++;
      this.deadLetter(record, output, { reason: 'too_late', error: tooLate(event.timeMs, reducer.latestMs(entry.state)) });
    }
  }

  private load(id: string): Entry<State> {
    const stored = this.options.store.get(id);
    const entry = { id, state: stored === undefined ? this.options.reducer.create() : this.decode(stored), dirty: false, pending: 0 };
    this.cache.add(entry);
    return entry;
  }

  private decode(stored: Buffer): State {
    return this.known(() => this.options.reducer.decode(stored, 0, stored.length));
  }

  private eventTimeOf(stored: Buffer): number {
    return this.known(() => this.options.reducer.encodedLatestMs(stored, 0, stored.length));
  }

  /** What reads a stored state; one that this view did not write ends the process with the way out. */
  private known<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof StateFormatError)) throw error;
      throw new TidemarkError('STATE_VERSION_UNKNOWN', `${this.options.topics.changelog}-${this.options.partition}: ${error.message}; see docs/error-codes.md#state_version_unknown`, { cause: error });
    }
  }

  private sweepOnce(output: TransactionOutput): number {
    return this.sweep.step(this.options.now(), (customerId, stored, clockMs) => this.refresh(output, customerId, stored, clockMs));
  }

  private refresh(output: TransactionOutput, customerId: string, stored: Buffer, clockMs: number): void {
    const { reducer, metrics, now } = this.options;
    const cached = this.cache.get(customerId);
    if (cached?.dirty === true) return; // it has just been heard of
    reducer.vector(cached?.state ?? this.decode(stored), clockMs, this.vector, 0);
    this.write(output, customerId, `sweep-${clockMs}`, clockMs, 1, now(), '');
    metrics.swept.inc();
  }

  private write(output: TransactionOutput, customerId: string, eventId: string, timeMs: number, trigger: 0 | 1, producedMs: number, channel: string): void {
    const header = this.header;
    header.customerId = customerId;
    header.eventId = eventId;
    header.eventTimeMs = timeMs;
    header.trigger = trigger;
    header.producedMs = producedMs;
    header.channel = channel;
    header.committedMs = this.options.now();
    const bytesMax = this.options.encoder.bytesMax(header);
    if (bytesMax > this.record.length) this.record = Buffer.allocUnsafe(bytesMax);
    const end = this.options.encoder.encode(header, this.vector, 0, this.record, 0);
    output.appendText(this.options.topics.features, customerId, this.record, 0, end);
  }

  private deadLetter(record: KafkaRecord, output: TransactionOutput, rejection: Rejection): void {
    const source = { topic: this.options.topics.events, partition: this.options.partition, offset: record.offset, timestamp: record.timestamp };
    output.append(this.options.topics.deadLetters, record.key, record.value, deadLetterHeaders(rejection, source, this.options.now(), record.headers));
    this.options.metrics.deadLetters.inc({ reason: rejection.reason });
    this.options.metrics.events.inc({ outcome: 'dead_letter' });
  }

  idle(output: TransactionOutput): boolean {
    // A pass that has ended is committed even without a row, so that the next start knows of it.
    return this.sweepOnce(output) > 0 || this.sweep.completedClockMs !== this.position.sweptAtMs;
  }

  async beforeCommit(output: TransactionOutput): Promise<void> {
    while (this.flushes.size >= FLUSHES_MAX) await Promise.race(this.flushes);
    if (this.failure !== undefined) throw this.failure;
    this.sweepOnce(output);
    const { reducer } = this.options;
    if (!this.spreadKnown) output.append(this.options.topics.changelog, Buffer.from(SPREAD_KEY), Buffer.from(String(this.options.partitions)));
    for (const entry of this.dirty) {
      this.staged.add(entry.id, reducer.encodedBytesMax(entry.state), entry.state, reducer);
      output.appendText(this.options.topics.changelog, entry.id, this.staged.bytes, this.staged.lastStart, this.staged.end);
    }
  }

  committed(_nextOffset: number, written: (topic: string) => number | undefined): void {
    const changelogNext = written(this.options.topics.changelog) ?? this.position.changelogNext;
    this.spreadKnown = true;
    this.position = { ...this.position, changelogNext, streamTimeMs: this.clock.nowMs, sweptAtMs: this.sweep.completedClockMs };
    this.count();
    const { staged, dirty } = this;
    for (const entry of dirty) {
      entry.dirty = false;
      entry.pending++;
    }
    this.dirty = [];
    this.staged = this.spare.pop() ?? new StagedStates();
    const flush = this.options.store.apply(staged.count, (i) => staged.ids[i]!, (i) => staged.at(i), this.position).then(
      () => {
        for (const entry of dirty) entry.pending--;
        staged.clear();
        this.spare.push(staged);
      },
      (error: unknown) => { this.failure = error; },
    ).finally(() => { this.flushes.delete(flush); });
    this.flushes.add(flush);
  }

  private count(): void {
    for (const outcome of ['accepted', 'duplicate', 'too_late'] as const) {
      if (this.counts[outcome] > 0) this.options.metrics.events.inc({ outcome }, this.counts[outcome]);
      this.counts[outcome] = 0;
    }
  }

  async rollback(): Promise<void> {
    await Promise.all(this.flushes);
    this.cache.clear();
    this.dirty = [];
    this.staged.clear();
    Object.assign(this.counts, { accepted: 0, duplicate: 0, too_late: 0 });
  }

  async close(): Promise<void> {
    await this.rollback();
    this.options.onClose();
  }
}

const tooLate = (timeMs: number, latestMs: number): string =>
  `event_time: ${new Date(timeMs).toISOString()} is older than the longest window, which ends with the customer's latest event at ${new Date(latestMs).toISOString()}`;
