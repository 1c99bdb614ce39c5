import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { messageOf } from '../errors.js';
import type { Stoppable } from '../lifecycle.js';
import type { Log } from '../log.js';
import { openPartitionReader } from './cluster.js';
import type { KafkaRecord } from './records.js';

export interface FollowOptions {
  readonly kafka: Kafka;
  readonly log: Log;
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** Records in offset order, none twice unless the topic was made anew; the same ones come again where it throws. */
  onRecords(records: readonly KafkaRecord[]): Promise<void>;
  /** The topic was made anew: what was kept of it is void. */
  onRestart(): void;
}

const RETRY_MS = { first: 200, most: 10_000 };
const WAIT_MS = 1000;

/** Hands over the committed records of a partition from an offset on until stopped. A broker that is away is waited for. */
export function followPartition(options: FollowOptions): Stoppable {
  const abort = new AbortController();
  const ended = follow(options, abort.signal);
  return {
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

async function follow({ kafka, log, topic, partition, from, onRecords, onRestart }: FollowOptions, signal: AbortSignal): Promise<void> {
  let position = from;
  let retryMs = RETRY_MS.first;
  while (!signal.aborted) {
    try {
      const reader = await openPartitionReader(kafka);
      try {
        while (!signal.aborted) {
          const batch = await reader.fetch(topic, partition, position, WAIT_MS);
          retryMs = RETRY_MS.first;
          if (batch.records.length > 0) await onRecords(batch.records);
          position = batch.nextOffset;
        }
      } finally {
        await reader.close().catch(() => undefined);
      }
    } catch (error) {
      log.warn('follower_waits', { topic, message: messageOf(error), retry_ms: retryMs, offset: position });
      if ((error as { type?: string }).type === 'OFFSET_OUT_OF_RANGE') {
        position = 0;
        onRestart();
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, RETRY_MS.most);
    }
  }
}
