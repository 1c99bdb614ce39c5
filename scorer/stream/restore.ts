import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { openPartitionReader } from '../../runtime/kafka/cluster.js';
import { offsetRanges, readPartition } from '../../runtime/kafka/read-partition.js';
import type { KafkaRecord } from '../../runtime/kafka/records.js';
import type { StartOffsets } from '../../runtime/kafka/start-offsets.js';
import type { Log } from '../../runtime/log.js';
import { TOPICS } from '../../schemas/topics.js';
import type { OnlineStore } from '../store/online-store.js';

export interface RestoreOptions {
  readonly kafka: Kafka;
  readonly store: OnlineStore;
  readonly offsets: StartOffsets;
  readonly log: Log;
  progress(partition: number, position: number, target: number): void;
}

type Take = (records: readonly KafkaRecord[], nextOffset: number) => Promise<void>;

/** Records that are scored before anything else gets a turn. */
const SLICE_ROWS = 500;

/**
 * Brings the online store's partition to where the group stands: it reads customer-features from the store's own
 * position on, which is the beginning of the compacted topic where the store is new or came without this partition.
 */
export function createRestore({ kafka, store, offsets, log, progress }: RestoreOptions): (partition: number, take: Take) => Promise<void> {
  const topic = TOPICS.features.name;
  return async (partition, take) => {
    const to = await offsets.of(partition);
    const range = (await offsetRanges(kafka, topic))[partition];
    if (range === undefined) return;
    let position = store.position(partition);
    if (position !== undefined && position > range.high) {
      log.warn('online_store_ahead', { partition, position, end: range.high, what: 'the topic was made anew: its customers are read again' });
      await store.forget(partition);
      position = undefined;
    }
    const from = Math.max(position ?? range.low, range.low);
    progress(partition, Math.min(from, to), to);
    if (from >= to) return;
    const startedAt = performance.now();
    let rows = 0;
    const reader = await openPartitionReader(kafka);
    try {
      await readPartition(reader, {
        topic, partition, from, to,
        async onRecords(records, nextOffset) {
          const due = records.filter(({ offset }) => offset < to);
          for (let at = 0; at < due.length; at += SLICE_ROWS) {
            const end = Math.min(at + SLICE_ROWS, due.length);
            await take(due.slice(at, end), end === due.length ? Math.min(nextOffset, to) : (due[end] as KafkaRecord).offset);
            await nextTurn();
          }
          rows += due.length;
          progress(partition, Math.min(nextOffset, to), to);
        },
      });
    } finally {
      await reader.close();
    }
    await store.flushed();
    log.info('online_store_restored', { partition, from, to, rows, ms: Math.round(performance.now() - startedAt) });
  };
}
