import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../runtime/log.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { openPartitionReader } from '../../runtime/kafka/cluster.js';
import { offsetRanges, readPartition } from '../../runtime/kafka/read-partition.js';
import type { Settings } from '../../runtime/settings.js';
import { TOPICS } from '../../schemas/topics.js';

/** How far a source has come: what the topic had acknowledged when this was written. */
export interface Position {
  /** Items of the source that were acknowledged, from its beginning. */
  readonly items: number;
  /** Offset after the last one, by partition. */
  readonly next_offsets: readonly number[];
  /** Whatever else the source needs to go on; written and compared as it is. */
  readonly source: Readonly<Record<string, unknown>>;
}

/** @returns the position in the file, or undefined where there is none that can be read */
export function loadPosition(file: string): Position | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Position;
  } catch {
    return undefined; // the first start, or a file that was cut: the beginning
  }
}

/** Written beside and renamed: a process that is killed leaves the old position or the new one. */
export function savePosition(file: string, position: Position): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(position));
  renameSync(`${file}.new`, file);
}

/** What stands on the topic beyond a position: how often each value occurs. */
export type Beyond = Map<string, number>;

/**
 * A source that was killed may have sent records whose acknowledgement it did not live to write down. They are read back
 * from the topic, so that the source leaves out just those.
 * @returns undefined when the topic does not reach the position: it is another topic, the source begins anew
 */
export async function readBeyond(settings: Settings, log: Log, position: Position): Promise<Beyond | undefined> {
  const topic = TOPICS.events.name;
  const kafka = createKafka(settings, log);
  const ranges = await offsetRanges(kafka, topic);
  const beyond: Beyond = new Map();
  if (position.next_offsets.length !== ranges.length || position.next_offsets.some((offset, partition) => offset > ranges[partition]!.high)) return undefined;
  const reader = await openPartitionReader(kafka);
  try {
    for (const [partition, { low, high }] of ranges.entries()) {
      const from = Math.max(low, position.next_offsets[partition]!);
      await readPartition(reader, {
        topic, partition, from, to: Math.min(high, from + TAIL_RECORDS_MAX),
        onRecords(records) {
          for (const { value } of records) {
            if (value === null) continue;
            const text = value.toString('latin1');
            beyond.set(text, (beyond.get(text) ?? 0) + 1);
          }
        },
      });
    }
  } finally {
    await reader.close();
  }
  return beyond;
}

/** A source has one batch under way at most; the rest of a longer tail came from others. */
const TAIL_RECORDS_MAX = 200_000;

/** Takes one occurrence of a value out. @returns whether there was one */
export function takeOne(beyond: Beyond, value: Buffer): boolean {
  const text = value.toString('latin1');
  const count = beyond.get(text);
  if (count === undefined) return false;
  if (count === 1) beyond.delete(text);
  else beyond.set(text, count - 1);
  return true;
}
