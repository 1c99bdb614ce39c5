import { FetchedRecord, isControl, isTransactional, readRecords, type BatchHeader } from './record-reader.js';

/** A record batch of a fetch response: its header and its uncompressed records. */
export interface RawBatch {
  readonly header: BatchHeader;
  readonly bytes: Buffer;
  readonly recordsAt: number;
}

interface PartitionData {
  readonly partition: number;
  readonly highWatermark: string;
  readonly messages: readonly RawBatch[];
  readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[];
}

/**
 * What one fetch gave of one partition. It stands in for kafkajs's Batch, which compares offsets as big integers record by
 * record and takes a partition's last position from the last record that is visible: control records and compacted tails
 * are invisible, so a reader would stop short of the end. Here the position comes from the batch headers.
 */
export class FetchedBatch {
  readonly fetchedOffset: string;
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: string;
  /** Visible records: at or after the fetched offset, committed, not control. */
  readonly records: readonly FetchedRecord[];
  /** Offset after everything in this fetch, the invisible included. */
  readonly nextOffset: number;
  private readonly raw: readonly RawBatch[];
  private shaped: readonly KafkaJsMessage[] | undefined;

  constructor(topic: string, fetchedOffset: string, data: PartitionData) {
    this.topic = topic;
    this.fetchedOffset = fetchedOffset;
    this.partition = data.partition;
    this.highWatermark = data.highWatermark;
    this.raw = data.messages;
    const from = Number(fetchedOffset);
    const aborted = [...(data.abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
    this.records = visibleRecords(data.messages, from, aborted);
    const last = data.messages.at(-1);
    this.nextOffset = last === undefined ? from : Math.max(from, last.header.lastOffset + 1);
  }

  /** The records in the shape that kafkajs hands to its callbacks. */
  get messages(): readonly KafkaJsMessage[] {
    return (this.shaped ??= this.records.map((record) => new KafkaJsMessage(record)));
  }
  isEmpty(): boolean { return this.records.length === 0; }
  isEmptyIncludingFiltered(): boolean { return this.raw.length === 0; }
  isEmptyDueToFiltering(): boolean { return this.records.length === 0 && this.raw.length > 0; }
  isEmptyControlRecord(): boolean { return this.isEmptyDueToFiltering() && this.raw.some(({ header }) => isControl(header)); }
  isEmptyDueToLogCompactedMessages(): boolean { return this.isEmptyDueToFiltering(); }
  firstOffset(): string | null { return this.records.length > 0 ? String(this.records[0]!.offset) : this.raw.length > 0 ? this.fetchedOffset : null; }
  lastOffset(): string { return String(this.nextOffset - 1); }
  offsetLag(): string { return String(Number(this.highWatermark) - this.nextOffset); }
  offsetLagLow(): string { return this.records.length === 0 ? '0' : String(Number(this.highWatermark) - 1 - this.records[0]!.offset); }
}

const ABORT_MARKER = 0;

/** Leaves out what transactions took back: KIP-98's rule over batches in offset order. */
function visibleRecords(batches: readonly RawBatch[], from: number, aborted: { producerId: string; firstOffset: string }[]): FetchedRecord[] {
  const records: FetchedRecord[] = [];
  const abortedNow = new Set<bigint>();
  for (const { header, bytes, recordsAt } of batches) {
    while (aborted.length > 0 && Number(aborted[0]!.firstOffset) <= header.lastOffset) abortedNow.add(BigInt(aborted.shift()!.producerId));
    if (isControl(header)) {
      if (abortedNow.size > 0 && markerType(header, bytes, recordsAt) === ABORT_MARKER) abortedNow.delete(header.producerId);
    } else if (!(isTransactional(header) && abortedNow.has(header.producerId))) {
      readRecords(header, bytes, recordsAt, from, records);
    }
  }
  return records;
}

/** A control record's key is int16 version, int16 type: 0 abort, 1 commit. */
function markerType(header: BatchHeader, bytes: Buffer, recordsAt: number): number {
  const markers: FetchedRecord[] = [];
  readRecords(header, bytes, recordsAt, header.baseOffset, markers);
  return markers[0]?.key?.readInt16BE(2) ?? ABORT_MARKER;
}

/** kafkajs's message over a fetched record: offsets and times as decimal strings. */
export class KafkaJsMessage {
  readonly attributes = 0;
  readonly isControlRecord = false;
  constructor(readonly record: FetchedRecord) {}
  get offset(): string { return String(this.record.offset); }
  get timestamp(): string { return String(this.record.timestamp); }
  get key(): Buffer | null { return this.record.key; }
  get value(): Buffer | null { return this.record.value; }
  get headers(): Readonly<Record<string, Buffer>> { return this.record.headers; }
  get size(): number { return this.record.valueEnd - this.record.valueStart; }
}

