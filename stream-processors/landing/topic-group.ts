import type { Consumer, Kafka } from '../../runtime/kafka/kafkajs.js';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import { evictFormerMember, rememberMember } from '../../runtime/kafka/former-member.js';
import { offsetRanges } from '../../runtime/kafka/read-partition.js';
import { watchProgress } from '../../runtime/kafka/watchdog.js';
import type { FetchedBatch } from '../../runtime/kafka/wire/fetched-batch.js';
import type { Stoppable } from '../../runtime/lifecycle.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { createCommitter, type CommitOffsets } from './committer.js';
import type { Inserter } from './inserter.js';
import type { PartitionGauges } from './metrics.js';
import { PartitionLander } from './partition-lander.js';
import type { TableSpec } from './table.js';

export interface TopicGroupOptions {
  readonly kafka: Kafka;
  readonly settings: Settings;
  readonly log: Log;
  readonly groupId: string;
  readonly tables: readonly TableSpec[];
  readonly inserter: Inserter;
  readonly fail: (error: unknown) => void;
}

export interface TopicGroup extends Stoppable {
  partitions(): PartitionGauges[];
}

/** Bytes of rows that wait for ClickHouse over all partitions; beyond it every partition is paused. */
const BUFFER_BYTES_MAX = 128 * 1024 * 1024;
/** Rows wait for their insert anyway: fewer, larger fetches leave the broker to those who hurry. */
const FETCH_WAIT_MS = 200;
const FETCH_BYTES_MIN = 256 * 1024;
const START_RETRY_MS = 1000;
/** A paused partition is not fetched, so how far behind it is has to be asked for. */
const LAG_INTERVAL_MS = 1000;
const STOP_DEADLINE_MS = 15_000;

/** Lands every partition that the group gives to this process, and stops with those that it takes away. */
export async function runTopicGroup({ kafka, settings, log, groupId, tables, inserter, fail }: TopicGroupOptions): Promise<TopicGroup> {
  const specs = new Map(tables.map((spec) => [spec.topic, spec]));
  const landers = new Map<string, PartitionLander>();
  const paused = new Set<string>();
  const admin = kafka.admin();
  await admin.connect();
  let stopping = false;
  let commitNow: CommitOffsets | undefined;
  const committer = createCommitter(() => commitNow, log);
  const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;
  const placeOf = (key: string): { topic: string; partitions: number[] } => ({ topic: key.slice(0, key.lastIndexOf('/')), partitions: [Number(key.slice(key.lastIndexOf('/') + 1))] });

  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: settings.KAFKA_SESSION_TIMEOUT_MS,
    heartbeatInterval: Math.min(2000, settings.KAFKA_SESSION_TIMEOUT_MS / 3),
    rebalanceTimeout: 60_000,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    minBytes: FETCH_BYTES_MIN,
    maxBytesPerPartition: settings.FETCH_BYTES_PER_PARTITION,
    maxBytes: 16 * 1024 * 1024,
    retry: { retries: 10, restartOnFailure: (error) => Promise.resolve(!isExpired(error)) },
  });

  const bufferedBytes = (): number => [...landers.values()].reduce((sum, lander) => sum + lander.bufferedBytes, 0);
  const hasRoom = (lander: PartitionLander): boolean => !lander.full && (lander.bufferedBytes === 0 || bufferedBytes() < BUFFER_BYTES_MAX);

  function resumeWhereRoom(): void {
    for (const key of paused) {
      const lander = landers.get(key);
      if (stopping || lander === undefined || !lander.open || !hasRoom(lander)) continue;
      paused.delete(key);
      consumer.resume([placeOf(key)]);
    }
  }

  function pause(key: string): void {
    paused.add(key);
    consumer.pause([placeOf(key)]);
  }

  function open(spec: TableSpec, partition: number): void {
    const key = keyOf(spec.topic, partition);
    const lander = new PartitionLander({
      spec, partition, inserter, committer, log, batchRows: settings.LANDING_BATCH_ROWS, flushMs: settings.LANDING_FLUSH_MS, onRoom: resumeWhereRoom,
    });
    landers.set(key, lander);
    pause(key);
    const isCurrent = (): boolean => !stopping && landers.get(key) === lander;
    void (async () => {
      while (isCurrent()) {
        try {
          const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId, topics: [spec.topic] });
          const entry = partitions.find((one) => one.partition === partition);
          const committed = { offset: Number(entry?.offset ?? -1), metadata: entry?.metadata ?? null };
          const range = (await offsetRanges(kafka, spec.topic))[partition];
          if (range === undefined) throw new Error(`no partition ${partition}`);
          lander.announce(Math.max(committed.offset, range.low), range.high);
          const present = committed.offset < 0 ? await inserter.highestOffset(spec, partition) : -1;
          if (!isCurrent()) return;
          if (committed.offset >= 0 && (committed.offset < range.low || committed.offset > range.high))
            return fail(new TidemarkError('OFFSET_EXPIRED', `group ${groupId} stands at offset ${committed.offset} of ${spec.topic}-${partition}, which holds ${range.low} to ${range.high}: ` +
              `records were deleted before they were landed, or the topic was made anew. To go on with what is there: kafka-consumer-groups --group ${groupId} --topic ${spec.topic}:${partition} --reset-offsets --to-earliest --execute, or tidemark reset landing`));
          lander.start(committed, range.low, present);
          consumer.seek({ topic: spec.topic, partition, offset: String(lander.position) });
          resumeWhereRoom();
          return;
        } catch (error) {
          log.warn('partition_waits', { topic: spec.topic, partition, message: messageOf(error) });
          await new Promise((resolve) => setTimeout(resolve, START_RETRY_MS));
        }
      }
    })();
  }

  consumer.on('consumer.group_join', ({ payload }) => {
    for (const lander of landers.values()) lander.close();
    landers.clear();
    paused.clear();
    if (stopping) return;
    rememberMember(settings, groupId, payload.memberId);
    log.info('assigned', { group: groupId, partitions: payload.memberAssignment });
    for (const [topic, partitions] of Object.entries(payload.memberAssignment))
      for (const partition of partitions) open(specs.get(topic)!, partition);
  });
  // Batches without a visible record never reach eachBatch, but kafkajs goes on behind them.
  consumer.on('consumer.start_batch_process', ({ payload: { topic, partition, batchSize, firstOffset, lastOffset } }) => {
    const lander = landers.get(keyOf(topic, partition));
    if (batchSize === 0 && lander?.open === true && Number(firstOffset) === lander.position) lander.advance(Number(lastOffset) + 1);
  });
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
    if (!restart && !stopping) fail(error);
  });
  const watchdog = watchProgress(consumer, settings.KAFKA_SESSION_TIMEOUT_MS * 6, fail);

  let asking = false;
  async function askLag(): Promise<void> {
    if (asking || stopping || paused.size === 0) return;
    asking = true;
    try {
      for (const topic of new Set([...paused].map((key) => placeOf(key).topic)))
        for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
          const lander = landers.get(keyOf(topic, partition));
          if (lander !== undefined) lander.highWatermark = Math.max(lander.highWatermark, Number(high));
        }
    } catch (error) {
      log.debug('lag_unknown', { message: messageOf(error) });
    } finally {
      asking = false;
    }
  }
  const lagTimer = setInterval(() => void askLag(), LAG_INTERVAL_MS);

  await evictFormerMember(kafka, settings, groupId, log);
  await consumer.connect();
  await consumer.subscribe({ topics: [...specs.keys()], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 16,
    async eachBatch({ batch, resolveOffset, heartbeat, isStale, commitOffsetsIfNecessary }) {
      commitNow = (commits) => commitOffsetsIfNecessary(offsetsOf(commits));
      const key = keyOf(batch.topic, batch.partition);
      const lander = landers.get(key);
      if (lander === undefined || !lander.open || stopping || isStale()) return;
      const fetched = batch as unknown as FetchedBatch;
      lander.highWatermark = Number(fetched.highWatermark);
      if (Number(fetched.fetchedOffset) !== lander.position) {
        // fetched before the partition was given anew: what lies between would be lost
        consumer.seek({ topic: batch.topic, partition: batch.partition, offset: String(lander.position) });
        return;
      }
      await lander.take(fetched.records, fetched.nextOffset, heartbeat);
      if (!lander.open) return;
      resolveOffset(fetched.lastOffset());
      if (!hasRoom(lander)) pause(key);
      await heartbeat();
    },
  });

  return {
    partitions: () => [...landers].map(([key, lander]) => ({
      topic: placeOf(key).topic, partition: placeOf(key).partitions[0]!, open: lander.open, lag: lander.lag,
      buffered_rows: lander.bufferedRows, buffered_bytes: lander.bufferedBytes, paused: paused.has(key),
    })),
    async stop() {
      stopping = true;
      watchdog.stop();
      clearInterval(lagTimer);
      const drained = Promise.all([...landers.values()].map((lander) => lander.drain()));
      await Promise.race([drained, new Promise((resolve) => { setTimeout(resolve, STOP_DEADLINE_MS).unref(); })]);
      for (const lander of landers.values()) lander.close();
      await stopConsumer(consumer);
      await admin.disconnect();
    },
  };
}

async function stopConsumer(consumer: Consumer): Promise<void> {
  await consumer.stop();
  await consumer.disconnect();
}

const isExpired = (error: Error): boolean => error.message.includes('OFFSET_EXPIRED');

type Offsets = NonNullable<Parameters<Parameters<NonNullable<NonNullable<Parameters<Consumer['run']>[0]>['eachBatch']>>[0]['commitOffsetsIfNecessary']>[0]>;

/** kafkajs passes the metadata on, though its types leave it out. */
function offsetsOf(commits: Parameters<CommitOffsets>[0]): Offsets {
  const topics = new Map<string, { partition: number; offset: string; metadata: string }[]>();
  for (const { topic, partition, offset, metadata } of commits) {
    const list = topics.get(topic) ?? [];
    list.push({ partition, offset: String(offset), metadata });
    topics.set(topic, list);
  }
  return { topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) };
}
