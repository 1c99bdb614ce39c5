import { LEDGER_ENTRY_AVRO, type LedgerEntry } from '../../schemas/events/ledger-entry.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { messageOf, TidemarkError } from '../errors.js';
import { openPartitionReader } from '../kafka/cluster.js';
import { followPartition } from '../kafka/follow-partition.js';
import type { Kafka, Transaction } from '../kafka/kafkajs.js';
import { offsetRanges, readPartition } from '../kafka/read-partition.js';
import type { KafkaRecord } from '../kafka/records.js';
import type { Stoppable } from '../lifecycle.js';
import type { Log } from '../log.js';
import { createRecordCodec, type RecordCodec } from '../registry/record-codec.js';
import type { Registry } from '../registry/registry.js';

export type LedgerCodec = RecordCodec<LedgerEntry>;

/** Entries as the topic has them. */
export const createLedgerCodec = (registry: Registry): LedgerCodec =>
  createRecordCodec<LedgerEntry>(registry, subjectOf(TOPICS.ledger.name), LEDGER_ENTRY_AVRO);

export interface LedgerReaderOptions {
  readonly kafka: Kafka;
  readonly codec: LedgerCodec;
  readonly log: Log;
  /** Entries of other models are passed over; without it all are given. */
  readonly model?: string;
}

/** Entries in the order of the topic, each once. */
export interface LedgerState {
  readonly entries: LedgerEntry[];
  /** The offset to read on from. */
  readonly next: number;
}

/**
 * Takes entries from records in offset order: an entry written twice is taken once, a record that is none is logged and left out.
 * @returns the entries that these records add
 */
export function createLedgerReader(codec: LedgerCodec, log: Log, model?: string): (records: readonly KafkaRecord[]) => Promise<LedgerEntry[]> {
  const seen = new Set<string>();
  return async (records) => {
    const taken: LedgerEntry[] = [];
    for (const { value, offset } of records) {
      let entry: LedgerEntry;
      try {
        if (value === null) throw new TidemarkError('RECORD_UNDECODABLE', `${TOPICS.ledger.name}: a record without a value`);
        entry = await codec.decode(value);
      } catch (error) {
        if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
        log.error('ledger_entry_unreadable', error, { offset });
        continue;
      }
      if (seen.has(entry.entry_id) || (model !== undefined && entry.model !== model)) continue;
      seen.add(entry.entry_id);
      taken.push(entry);
    }
    return taken;
  };
}

/** The ledger as it stands now; empty where the topic is. */
export async function readLedger({ kafka, codec, log, model }: LedgerReaderOptions): Promise<LedgerState> {
  const topic = TOPICS.ledger.name;
  const [range] = await offsetRanges(kafka, topic);
  const entries: LedgerEntry[] = [];
  if (range === undefined || range.high === range.low) return { entries, next: range?.low ?? 0 };
  const take = createLedgerReader(codec, log, model);
  const reader = await openPartitionReader(kafka);
  try {
    const next = await readPartition(reader, {
      topic, partition: 0, from: range.low, to: range.high,
      onRecords: async (records) => { entries.push(...(await take(records))); },
    });
    return { entries, next };
  } finally {
    await reader.close();
  }
}

/**
 * Hands over the entries from an offset on, in order, one call at a time, until stopped. What was given before `from`, or
 * again after an error of `onEntries`, may come again: readers of the whole take the first of an id.
 */
export function followLedger({ kafka, codec, log, model, from, onEntries, onRestart }: LedgerReaderOptions & {
  readonly from: number;
  onEntries(entries: readonly LedgerEntry[]): void | Promise<void>;
  /** The topic was made anew: all that was read of it is void. */
  onRestart?(): void;
}): Stoppable {
  return followPartition({
    kafka, log, from, topic: TOPICS.ledger.name, partition: 0,
    onRecords: async (records) => {
      const entries = await createLedgerReader(codec, log, model)(records);
      if (entries.length > 0) await onEntries(entries);
    },
    onRestart: () => onRestart?.(),
  });
}

/**
 * Appends entries, in this order and all or none: as a part of a running transaction (of `modelProducer`, where the
 * decision rests on what the ledger says), or, given a client, by themselves: one request is one record batch. After an
 * error of the second kind they may stand there; they may be appended again, since readers take the first of an id.
 * @throws TidemarkError TRANSACTION_FAILED, REGISTRY_UNREACHABLE
 */
export async function appendLedger(via: Transaction | Kafka, codec: LedgerCodec, entries: readonly LedgerEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const topic = TOPICS.ledger.name;
  const messages = await Promise.all(entries.map(async (entry) => ({ key: entry.model, value: await codec.encode(entry), partition: 0 })));
  if ('commit' in via) return void (await via.send({ topic, acks: -1, messages }));
  const producer = via.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages });
  } catch (error) {
    throw new TidemarkError('TRANSACTION_FAILED', `${topic}: ${entries.length} entries of ${entries[0]!.model} may not have been written: ${messageOf(error)}; do it again, what is there is not written twice`, { cause: error });
  } finally {
    await producer.disconnect();
  }
}
