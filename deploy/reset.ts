import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedKafka } from '../runtime/embedded/kafka.js';
import { jarsFolder } from '../runtime/embedded/maven.js';
import { messageOf, TidemarkError } from '../runtime/errors.js';
import { createKafka } from '../runtime/kafka/client.js';
import type { Admin, Kafka } from '../runtime/kafka/kafkajs.js';
import { OutputBuffer } from '../runtime/kafka/output-buffer.js';
import { processIdentity } from '../runtime/kafka/process-identity.js';
import { createTransactionWriter } from '../runtime/kafka/transaction-writer.js';
import { NOBODY } from '../runtime/kafka/wire/group-requests.js';
import type { Log } from '../runtime/log.js';
import { freePort } from '../runtime/ports.js';
import type { Settings } from '../runtime/settings.js';
import { FEATURES_GROUP, LANDING_GROUP, SCORER_GROUP } from '../schemas/groups.js';
import { TOPICS } from '../schemas/topics.js';
import { FORWARDED_GROUP, forwardedBefore } from '../stream-processors/features/forwarded.js';
import { writtenSpread } from '../stream-processors/features/state/restore.js';
import { lockDataFolder } from './up/lock.js';

/** What each process reads, by the name that a person gives it. */
export const RESETTABLE = {
  features: { group: FEATURES_GROUP, topics: [TOPICS.events.name] },
  scorer: { group: SCORER_GROUP, topics: [TOPICS.features.name] },
  landing: { group: LANDING_GROUP, topics: [TOPICS.events.name, TOPICS.predictions.name, TOPICS.deadLetters.name, TOPICS.models.name] },
} as const;
export type Resettable = keyof typeof RESETTABLE;

export interface Move { readonly topic: string; readonly partition: number; readonly from: number; readonly to: number }

const DELETED_DEADLINE_MS = 30_000;

/**
 * Moves a stopped group's positions that its topic no longer has to the first record there is. `rebuild` moves all of the
 * feature processor's and deletes its state, so that it is computed anew.
 * @throws TidemarkError REQUIREMENT_MISSING while `tidemark up` runs on the data folder, INPUT_INVALID while the group has members
 */
export async function resetPositions(settings: Settings, what: Resettable, rebuild: boolean, log: Log): Promise<Move[]> {
  const lock = lockDataFolder(settings.DATA_DIR);
  try {
    return await withKafka(settings, log, async (admin, kafka) => {
      const { group, topics } = RESETTABLE[what];
      const { groups: [state] } = await admin.describeGroups([group]);
      if (state !== undefined && state.state !== 'Empty' && state.state !== 'Dead')
        throw new TidemarkError('INPUT_INVALID', `group ${group} has members (${state.state}): stop them first; one that was killed is a member until KAFKA_SESSION_TIMEOUT_MS is over`);
      const moves: Move[] = [];
      for (const topic of topics) moves.push(...(await movesOf(admin, group, topic, rebuild)));
      if (rebuild) {
        await rememberForwarded(admin, kafka, settings, moves);
        await deleteTopic(admin, TOPICS.changelog.name);
        rmSync(join(settings.DATA_DIR, 'state'), { recursive: true, force: true });
      }
      await moveTo(kafka, settings, group, moves);
      return moves;
    });
  } finally {
    lock.release();
  }
}

async function movesOf(admin: Admin, group: string, topic: string, all: boolean): Promise<Move[]> {
  const ranges = await admin.fetchTopicOffsets(topic);
  const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  return partitions.flatMap(({ partition, offset }) => {
    const range = ranges.find((one) => one.partition === partition);
    const from = Number(offset);
    if (range === undefined || from < 0) return []; // never committed: begins at the first record anyway
    const to = Number(range.low);
    return all || from < to || from > Number(range.high) ? [{ topic, partition, from, to }] : [];
  });
}

/**
 * What stands on a wrong partition before the position was forwarded, and its copy stands at home: the rebuild takes the copy
 * and forwards only what comes behind. A second rebuild before the first has come so far keeps the first one's mark, and a mark
 * beyond the topic's end is one of a topic that was deleted. Under another partition count the copies are not at home.
 */
async function rememberForwarded(admin: Admin, kafka: Kafka, settings: Settings, moves: readonly Move[]): Promise<void> {
  const marks = await forwardedBefore(kafka);
  const ranges = await admin.fetchTopicOffsets(TOPICS.events.name);
  const spread = (await admin.listTopics()).includes(TOPICS.changelog.name) ? await writtenSpread(kafka, TOPICS.changelog.name) : undefined;
  const elsewhere = spread !== undefined && spread !== ranges.length;
  const forward: Move[] = [];
  for (const { partition, high } of ranges) {
    const end = elsewhere ? -1 : Number(high);
    const known = marks.get(partition) ?? 0;
    const reached = moves.find((move) => move.partition === partition)?.from ?? 0;
    const to = Math.max(known > end ? 0 : known, reached > end ? 0 : reached);
    if (to !== known) forward.push({ topic: TOPICS.events.name, partition, from: known, to });
  }
  await moveTo(kafka, settings, FORWARDED_GROUP, forward);
}

/** As the process itself commits: what one that nobody knows to be alive has under way on this folder ends first. */
async function moveTo(kafka: Kafka, settings: Settings, groupId: string, moves: readonly Move[]): Promise<void> {
  const identity = processIdentity(settings, groupId);
  for (const topic of new Set(moves.map((move) => move.topic))) {
    const options = { kafka, groupId, topic, identity, deadlineMs: settings.TRANSACTION_DEADLINE_MS };
    const writer = createTransactionWriter(options);
    try {
      await writer.open();
      const entries = moves.filter((move) => move.topic === topic).map(({ partition, to }) => ({ partition, output: new OutputBuffer(partition), nextOffset: to }));
      await writer.write(entries, NOBODY);
    } finally {
      await writer.close();
    }
    // answers when the transaction's markers are written: from then on the group reads the new positions
    const after = createTransactionWriter(options);
    await after.open().finally(() => after.close());
  }
}

async function deleteTopic(admin: Admin, name: string): Promise<void> {
  if (!(await admin.listTopics()).includes(name)) return;
  await admin.deleteTopics({ topics: [name] });
  for (const until = Date.now() + DELETED_DEADLINE_MS; (await admin.listTopics()).includes(name); await sleep(100))
    if (Date.now() > until) throw new TidemarkError('PART_NOT_READY', `topic ${name} is still there ${DELETED_DEADLINE_MS / 1000} s after it was deleted: run this again`);
}

/** The user's Kafka, or the embedded one, which runs for this alone. */
async function withKafka<T>(settings: Settings, log: Log, work: (admin: Admin, transactional: Kafka) => Promise<T>): Promise<T> {
  const embedded = settings.KAFKA_BROKERS === undefined
    ? await startEmbeddedKafka({ dataDir: settings.DATA_DIR, port: await freePort(), log, jarsDir: jarsFolder(settings) })
    : undefined;
  const reached = { ...settings, KAFKA_BROKERS: embedded?.brokers ?? settings.KAFKA_BROKERS };
  const admin = createKafka(reached, log).admin();
  try {
    await admin.connect();
    return await work(admin, createKafka(reached, log, 'transactional'));
  } catch (error) {
    throw error instanceof TidemarkError ? error : new TidemarkError('BROKER_UNREACHABLE', `resetting positions: ${messageOf(error)}`, { cause: error });
  } finally {
    await admin.disconnect().catch(() => undefined);
    await embedded?.stop();
  }
}
