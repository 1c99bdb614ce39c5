import { LEDGER_ENTRY_AVRO, type LedgerEntry } from '../../schemas/events/ledger-entry.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { TidemarkError } from '../errors.js';
import { openPartitionReader } from '../kafka/cluster.js';
import type { Kafka } from '../kafka/kafkajs.js';
import { offsetRanges, readPartition } from '../kafka/read-partition.js';
import type { KafkaRecord } from '../kafka/records.js';
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
export function createLedgerReader(codec: LedgerCodec, log: Log): (records: readonly KafkaRecord[]) => Promise<LedgerEntry[]> {
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
      if (seen.has(entry.entry_id)) continue;
      seen.add(entry.entry_id);
      taken.push(entry);
    }
    return taken;
  };
}

/** The ledger as it stands now; empty where the topic is. */
export async function readLedger({ kafka, codec, log }: LedgerReaderOptions): Promise<LedgerState> {
  const topic = TOPICS.ledger.name;
  const [range] = await offsetRanges(kafka, topic);
  const entries: LedgerEntry[] = [];
  if (range === undefined || range.high === range.low) return { entries, next: range?.low ?? 0 };
  const take = createLedgerReader(codec, log);
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
