import type { PartitionReader } from '../../../runtime/kafka/cluster.js';
import type { Kafka } from '../../../runtime/kafka/kafkajs.js';
import { partitionCountChanged } from '../../../runtime/kafka/partition-count.js';
import { readPartition, readTopic, type OffsetRange } from '../../../runtime/kafka/read-partition.js';
import type { PartitionStore, StorePosition } from './store.js';

/** The partition count that a changelog was written under; undefined where it holds nothing. */
export async function writtenSpread(kafka: Kafka, topic: string): Promise<number | undefined> {
  let spread: number | undefined;
  const ENOUGH = Symbol('enough');
  try {
    await readTopic(kafka, topic, (_partition, records) => {
      const said = records.find(({ key, value }) => value !== null && key?.toString('utf8') === SPREAD_KEY);
      if (said === undefined) return;
      spread = Number(said.value!.toString('utf8'));
      throw ENOUGH;
    });
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return spread;
}

/** Key of the changelog record that says under which partition count it was written; no customer id has a control character. */
export const SPREAD_KEY = '\u0000partitions';

export interface Restored {
  readonly position: StorePosition;
  readonly records: number;
  /** Whether the changelog says yet under which partition count it is written. */
  readonly spreadKnown: boolean;
}

export interface RestoreOptions {
  readonly reader: PartitionReader;
  readonly topic: string;
  readonly partition: number;
  readonly partitions: number;
  readonly range: OffsetRange;
  readonly store: PartitionStore;
  onProgress(done: number, of: number): void;
  /** Ends the restore between two fetches; the copy stands at a place from which the next one goes on. */
  readonly revoked?: AbortSignal | undefined;
}

/**
 * Brings a partition's local copy to the end of its changelog: only the tail that it lacks, or everything where there is
 * no copy or one that cannot be of this changelog.
 * @throws TidemarkError PARTITION_COUNT_CHANGED when the states were spread over another number of partitions
 */
export async function restorePartition(options: RestoreOptions): Promise<Restored> {
  const { store, range, partitions, partition, topic, reader } = options;
  let local = store.position();
  if (local !== undefined && local.partitions !== partitions) throw partitionCountChanged(topic, local.partitions, partitions);
  if (local !== undefined && (local.changelogNext > range.high || local.changelogNext < range.low)) {
    await store.clear();
    local = undefined;
  }
  const from = local?.changelogNext ?? range.low;
  let position: StorePosition = local ?? { changelogNext: range.low, partitions, streamTimeMs: 0, sweptAtMs: 0 };
  let records = 0;
  let spreadKnown = local !== undefined;
  await readPartition(reader, {
    topic, partition, from, to: range.high,
    async onRecords(batch, nextOffset) {
      options.revoked?.throwIfAborted();
      const keys: string[] = [];
      const states: Buffer[] = [];
      for (const { key, value } of batch) {
        if (key === null || value === null) continue;
        const id = key.toString('utf8');
        if (id === SPREAD_KEY) {
          const written = Number(value.toString('utf8'));
          if (written !== partitions) throw partitionCountChanged(topic, written, partitions);
          spreadKnown = true;
          continue;
        }
        keys.push(id);
        states.push(value);
      }
      position = { ...position, changelogNext: nextOffset };
      await store.apply(keys.length, (i) => keys[i]!, (i) => states[i]!, position);
      records += batch.length;
      options.onProgress(nextOffset - from, range.high - from);
    },
  });
  return { position: { ...position, changelogNext: Math.max(position.changelogNext, range.high) }, records, spreadKnown };
}
