import type { Kafka } from '../kafka/kafkajs.js';
import { readDeadLetterHeaders, type DeadLetterInfo, type DeadLetterReason } from '../../schemas/events/dead-letter.js';
import { TOPICS } from '../../schemas/topics.js';
import { TidemarkError } from '../errors.js';
import { openPartitionReader } from '../kafka/cluster.js';
import { offsetRanges, readPartition, readTopic } from '../kafka/read-partition.js';
import type { KafkaRecord } from '../kafka/records.js';

/** A record of customer-events.dlq; its id names it in commands and in the header of what is sent back. */
export interface DeadLetter {
  readonly partition: number;
  readonly record: KafkaRecord;
  readonly info: DeadLetterInfo<Buffer>;
}

/** `<partition>-<offset>` of the dead letter itself. */
export const letterId = (partition: number, offset: number): string => `${partition}-${offset}`;

export interface LetterFilter {
  /** Any of these; all where it is empty or left out. */
  readonly reasons?: readonly DeadLetterReason[] | undefined;
  /** Letters that failed at or after this time, epoch milliseconds. */
  readonly sinceMs?: number | undefined;
  /** Letters that failed before this time, epoch milliseconds. */
  readonly untilMs?: number | undefined;
  /** Only the letters with these ids. */
  readonly ids?: ReadonlySet<string> | undefined;
}

export function matches({ partition, record, info }: DeadLetter, { reasons = [], sinceMs = -Infinity, untilMs = Infinity, ids }: LetterFilter): boolean {
  return (reasons.length === 0 || reasons.includes(info.reason)) && info.failedAt >= sinceMs && info.failedAt < untilMs &&
    (ids === undefined || ids.has(letterId(partition, record.offset)));
}

/** The dead letter in a record; undefined where its headers are not ours. */
export function letterOf(partition: number, record: KafkaRecord): DeadLetter | undefined {
  const info = readDeadLetterHeaders(record.headers, (value) => value.toString());
  return info === undefined ? undefined : { partition, record, info };
}

/** Goes over the dead letters that are there now, partition by partition in the order they came. `visit` ends it with false. */
export async function scanLetters(kafka: Kafka, filter: LetterFilter, visit: (letter: DeadLetter) => boolean | void | Promise<boolean | void>): Promise<void> {
  const ENOUGH = Symbol('enough');
  try {
    await readTopic(kafka, TOPICS.deadLetters.name, async (partition, records) => {
      for (const record of records) {
        const letter = letterOf(partition, record);
        if (letter !== undefined && matches(letter, filter) && (await visit(letter)) === false) throw ENOUGH;
      }
    });
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
}

/** @throws TidemarkError NOT_FOUND */
export async function readLetter(kafka: Kafka, partition: number, offset: number): Promise<DeadLetter> {
  const topic = TOPICS.deadLetters.name;
  const range = (await offsetRanges(kafka, topic))[partition];
  let found: KafkaRecord | undefined;
  if (range !== undefined && offset >= range.low && offset < range.high) {
    const reader = await openPartitionReader(kafka);
    try {
      await readPartition(reader, { topic, partition, from: offset, to: offset + 1, onRecords: ([first]) => { found = first; } });
    } finally {
      await reader.close();
    }
  }
  const letter = found === undefined || found.offset !== offset ? undefined : letterOf(partition, found);
  if (letter === undefined)
    throw new TidemarkError('NOT_FOUND',
      `no dead letter at ${partition}:${offset} of ${topic}, expected PARTITION:OFFSET as tidemark dlq list shows it` +
      (range === undefined ? '' : ` (partition ${partition} holds offsets ${range.low} to ${range.high - 1}, transaction marks among them)`));
  return letter;
}

/** The ids of the letters that were sent back. */
export async function redrivenIds(kafka: Kafka): Promise<Set<string>> {
  const ids = new Set<string>();
  await readTopic(kafka, TOPICS.redriven.name, (_partition, records) => {
    for (const { key, value } of records) if (key !== null && value !== null) ids.add(key.toString());
  });
  return ids;
}
