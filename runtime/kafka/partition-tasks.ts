import type { Consumer } from 'kafkajs';
import { TidemarkError } from '../errors.js';
import type { Stoppable } from '../lifecycle.js';
import type { Log } from '../log.js';
import type { Settings } from '../settings.js';
import { createKafka } from './client.js';
import { evictFormerMember, rememberMember } from './former-member.js';
import { CommitTurns } from './commit-turns.js';
import { onGeneration } from './cluster.js';
import { createIdempotentWriter } from './idempotent-writer.js';
import { partitionCountChanged } from './partition-count.js';
import { PartitionRunner, type RunnerMetrics } from './partition-runner.js';
import type { PartitionTask } from './records.js';
import { createStartOffsets } from './start-offsets.js';
import { processIdentity } from './process-identity.js';
import { stickyAssigner } from './sticky-assigner.js';
import { createTransactionWriter, TURNS } from './transaction-writer.js';
import { watchProgress } from './watchdog.js';
import type { FetchedBatch } from './wire/fetched-batch.js';
import { NOBODY } from './wire/group-requests.js';

export interface PartitionTasksOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** Consumer group; also the first part of the transactional ids. */
  readonly groupId: string;
  readonly topic: string;
  /** Partition count of the topic when the process started; another count later ends the process with the way out. */
  readonly partitions: number;
  createTask(partition: number): PartitionTask;
  /** The process cannot go on. */
  fail(error: unknown): void;
  readonly idleMs?: number;
  readonly observe?: RunnerMetrics;
  /** False while the brokers answer nobody: a process that can do without them for a while then waits instead of ending. Unset: it ends, to be started afresh. */
  reachable?(): boolean;
  /** A fetch was answered, with so many batches: none means that this process has all there is. */
  fetched?(batches: number): void;
  /** False while records must wait for something else (a first model); looked at on every fetch. */
  ready?(): boolean;
}

export interface PartitionTasks extends Stoppable {
  /** Per assigned partition: records behind, and whether it takes records yet. */
  state(): { partition: number; lag: number; open: boolean }[];
}

const SILENT: RunnerMetrics = { batch: () => undefined, rolledBack: () => undefined };
const FETCH_WAIT_MS = 200;
const HEARTBEAT_MS = 2000;
/** How long a full partition may hold up a fetch before it is paused and the others go on without it. */
const HOLD_MS = 100;

/** Runs one task for every partition of a topic that the group gives to this process. */
export async function runPartitionTasks(options: PartitionTasksOptions): Promise<PartitionTasks> {
  const { settings, log, groupId, topic, fail } = options;
  /** The newest generation joined, and the one that the runners here are of. */
  let joined = NOBODY;
  let membership = NOBODY;
  const kafka = onGeneration(createKafka(settings, log), (newest) => { joined = newest; });
  const runners = new Map<number, PartitionRunner>();
  const closing = new Map<number, Promise<void>>();
  const offsets = await createStartOffsets(kafka, groupId, topic);
  let stopping = false;

  /** A fetch returns with the first record there is: without a pause a trickle would be fetched record by record. */
  let fetchedAt = 0;
  const pace = async (): Promise<void> => {
    const early = fetchedAt + settings.FETCH_PACE_MS - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    fetchedAt = performance.now();
  };

  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: settings.KAFKA_SESSION_TIMEOUT_MS,
    heartbeatInterval: Math.min(HEARTBEAT_MS, settings.KAFKA_SESSION_TIMEOUT_MS / 3),
    rebalanceTimeout: 60_000,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: settings.FETCH_BYTES_PER_PARTITION,
    maxBytes: 32 * 1024 * 1024,
    partitionAssigners: [stickyAssigner(() => [...runners.keys()])],
    retry: { retries: 10, restartOnFailure: (error) => Promise.resolve(!isExpired(error)) },
  });

  const common = { kafka: createKafka(settings, log, 'transactional'), groupId, topic, deadlineMs: settings.TRANSACTION_DEADLINE_MS };
  const exactlyOnce = settings.PROCESSING_GUARANTEE === 'exactly_once';
  const writer = exactlyOnce
    ? createTransactionWriter({ ...common, identity: processIdentity(settings, groupId) })
    : createIdempotentWriter({ ...common, commitOffsets: async (positions) => { for (const { partitions } of positions) await consumer.commitOffsets(partitions.map((at) => ({ topic, ...at }))); } });
  const turns = new CommitTurns({
    writer, membership: () => membership, intervalMs: settings.COMMIT_INTERVAL_MS, rowsMax: settings.BATCH_ROWS_MAX, commitsMax: exactlyOnce ? TURNS : 1,
  });

  function openPartition(partition: number): void {
    consumer.pause([{ topic, partitions: [partition] }]);
    const task = options.createTask(partition);
    const runner = new PartitionRunner({
      partition, task, log, fail, turns, ...(options.reachable === undefined ? {} : { reachable: options.reachable }),
      startOffset: () => offsets.of(partition),
      onReady(offset) {
        if (stopping || runners.get(partition) !== runner) return;
        consumer.seek({ topic, partition, offset: String(offset) });
        consumer.resume([{ topic, partitions: [partition] }]);
        log.info('partition_ready', { topic, partition, offset });
      },
      batchRowsMax: settings.BATCH_ROWS_MAX,
      idleMs: options.idleMs ?? 1000,
      observe: options.observe ?? SILENT,
      after: closing.get(partition) ?? Promise.resolve(),
    });
    runners.set(partition, runner);
  }

  function closePartition(partition: number): void {
    const runner = runners.get(partition)!;
    runners.delete(partition);
    const closed = runner.stop().finally(() => { if (closing.get(partition) === closed) closing.delete(partition); });
    closing.set(partition, closed);
  }

  consumer.on('consumer.group_join', ({ payload }) => {
    if (stopping) return;
    rememberMember(settings, groupId, payload.memberId);
    const assigned = payload.memberAssignment[topic] ?? [];
    log.info('assigned', { topic, group: groupId, partitions: assigned });
    if (assigned.some((partition) => partition >= options.partitions))
      return fail(partitionCountChanged(topic, options.partitions, 'more'));
    for (const partition of runners.keys()) if (!assigned.includes(partition)) closePartition(partition);
    membership = joined;
    for (const partition of assigned) {
      const kept = runners.get(partition);
      if (kept === undefined) openPartition(partition);
      else if (kept.open) consumer.seek({ topic, partition, offset: String(kept.position) });
    }
  });
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
    if (!restart && !stopping) fail(expired(error, groupId) ?? error);
  });
  const watchdog = watchProgress(consumer, settings.KAFKA_SESSION_TIMEOUT_MS * 6, fail, options.reachable);
  consumer.on('consumer.fetch', ({ payload }) => options.fetched?.(payload.numberOfBatches));

  await evictFormerMember(kafka, settings, groupId, log);
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: Math.max(16, options.partitions),
    async eachBatch({ batch, resolveOffset, heartbeat, isStale }) {
      const runner = runners.get(batch.partition);
      if (runner === undefined || isStale()) return;
      if (!runner.open) { // it has rolled back and opens anew: onReady resumes it, until then it would be fetched again and again
        consumer.pause([{ topic, partitions: [batch.partition] }]);
        return;
      }
      if (options.ready?.() === false) {
        consumer.pause([{ topic, partitions: [batch.partition] }]);
        setTimeout(() => { if (!stopping) consumer.resume([{ topic, partitions: [batch.partition] }]); }, 500);
        return;
      }
      const fetched = batch as unknown as FetchedBatch;
      runner.enqueue(fetched.records, fetched.nextOffset, Number(fetched.highWatermark));
      resolveOffset(fetched.lastOffset());
      await heartbeat();
      await pace();
      if (!runner.full) return;
      const inTime = await Promise.race([runner.drained().then(() => true), new Promise<false>((resolve) => { setTimeout(resolve, HOLD_MS, false).unref(); })]);
      if (inTime) return;
      consumer.pause([{ topic, partitions: [batch.partition] }]);
      void runner.drained().then(() => { if (!stopping && runners.get(batch.partition) === runner && runner.open) consumer.resume([{ topic, partitions: [batch.partition] }]); });
    },
  });

  return {
    state: () => [...runners].map(([partition, runner]) => ({ partition, lag: runner.lag, open: runner.open })),
    async stop() {
      stopping = true;
      watchdog.stop();
      const leaving = leave(consumer);
      await Promise.all([...[...runners.values()].map((runner) => runner.stop()), ...closing.values()]);
      await leaving;
      await Promise.all([writer.close(), offsets.close()]);
    },
  };
}

/** Stops fetching at once and leaves the group, so that the partitions move without waiting for a timeout. */
async function leave(consumer: Consumer): Promise<void> {
  await consumer.stop();
  await consumer.disconnect();
}

const isExpired = (error: Error): boolean => error.message.includes('OFFSET_EXPIRED');

/** The sentence for a position that retention has overtaken. */
function expired(error: Error, groupId: string): TidemarkError | undefined {
  if (!isExpired(error)) return undefined;
  return new TidemarkError('OFFSET_EXPIRED', `group ${groupId}: ${error.message}: retention has deleted records that were not processed; see docs/error-codes.md#offset_expired`);
}
