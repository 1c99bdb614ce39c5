import type { RecordMetadata } from 'kafkajs';
import { messageOf, TidemarkError } from '../errors.js';
import type { OutputBuffer } from './output-buffer.js';
import type { Membership } from './wire/group-requests.js';
import { PartitionedRecords } from './wire/partitioned-records.js';

/** What one input partition has to write: outputs and the position they bring it to. */
export interface CommitEntry {
  readonly partition: number;
  readonly output: OutputBuffer;
  readonly nextOffset: number;
}

/** Offset after the last record written, by output topic, on the input's own partition. */
export type Written = ReadonlyMap<string, number>;

/** Writes what belongs to the input partitions of one process, together with the positions in them. */
export interface OutputWriter {
  /** Ready to write: whatever was left open before is aborted when this returns. */
  open(): Promise<void>;
  /**
   * Writes outputs and positions; on return all of them are durable. After an error nothing is known: open again, and read
   * the committed positions.
   */
  write(entries: readonly CommitEntry[], membership: Membership): Promise<Written[]>;
  close(): Promise<void>;
  /** Producers initialised so far. */
  readonly opened: number;
}

/** kafkajs lets sequence numbers wrap at 2^32 where Kafka wraps at 2^31 − 1: a producer is made anew long before. */
export const RECORDS_PER_PRODUCER_MAX = 1_000_000_000;

export const recordsOf = (entries: readonly CommitEntry[]): number => entries.reduce((sum, { output }) => sum + output.count, 0);

export const positionsOf = (topic: string, entries: readonly CommitEntry[]): { topic: string; partitions: { partition: number; offset: string }[] }[] =>
  [{ topic, partitions: entries.map(({ partition, nextOffset }) => ({ partition, offset: String(nextOffset) })) }];

export type SendRound = (round: { topic: string; messages: PartitionedRecords }[]) => Promise<RecordMetadata[]>;

/** Sends the outputs of all partitions, in as few requests as the order within each partition allows. */
export async function sendOutputs(entries: readonly CommitEntry[], send: SendRound): Promise<Written[]> {
  const written = entries.map(() => new Map<string, number>());
  const rest = entries.map(({ output }) => output.rounds());
  for (;;) {
    const round = new Map<string, PartitionedRecords>();
    for (const rounds of rest) {
      const { value } = rounds.next() as { value: { topic: string; messages: PartitionedRecords['byPartition'][number] }[] | undefined };
      for (const { topic, messages } of value ?? []) {
        let records = round.get(topic);
        if (records === undefined) round.set(topic, (records = new PartitionedRecords()));
        // two partitions may both send something on to a third: then the second goes by itself
        if (!records.add(messages)) await send([{ topic, messages: PartitionedRecords.of(messages) }]);
      }
    }
    if (round.size === 0) return written;
    for (const { topicName, partition, baseOffset } of await send([...round].map(([topic, messages]) => ({ topic, messages })))) {
      const owner = entries.findIndex((entry) => entry.partition === partition);
      const records = round.get(topicName)?.byPartition[partition];
      if (owner >= 0 && records !== undefined && baseOffset !== undefined) written[owner]!.set(topicName, Number(baseOffset) + records.length);
    }
  }
}

/** @throws TidemarkError PRODUCER_FENCED, TRANSACTION_FAILED */
export async function within<T>(deadlineMs: number, what: string, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TidemarkError('TRANSACTION_FAILED', `${what}: not done within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError(isFenced(error) ? 'PRODUCER_FENCED' : 'TRANSACTION_FAILED', `${what}: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const FENCED = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTION_COORDINATOR_FENCED', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS']);
const isFenced = (error: unknown): boolean => FENCED.has(String((error as { type?: unknown }).type ?? (error as { cause?: { type?: unknown } }).cause?.type));
