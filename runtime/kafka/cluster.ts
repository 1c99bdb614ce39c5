import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { TidemarkError } from '../errors.js';
import { FetchedBatch } from './wire/fetched-batch.js';
import { decodeOffsetFetch, encodeOffsetFetch, type Membership } from './wire/group-requests.js';
import { Pieces } from './wire/pieces.js';

/** The part of kafkajs's inner cluster that reading without a consumer group needs. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(options: { nodeId: string }): Promise<Broker>;
  findGroupCoordinator(options: { groupId: string; coordinatorType?: number }): Promise<Coordinator>;
}
interface Coordinator {
  isConnected(): boolean;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  syncGroup(request: Membership & { groupId: string }): Promise<unknown>;
  readonly connectionPool: { send<T>(call: { request: object; response: { decode(bytes: Buffer): Promise<T>; parse(answer: T): Promise<T> } }): Promise<T> };
}
interface Broker {
  fetch(options: Record<string, unknown>): Promise<{ responses: { partitions: never[] }[] }>;
}

const READ_COMMITTED = 1;

/** Reads partitions by offset, without a group: restores and followers, which always know where they stand. */
export interface PartitionReader {
  /** One fetch of committed records from `offset` on; waits up to `wait_ms_max` where there are none. */
  fetch(topic: string, partition: number, offset: number, waitMsMax: number): Promise<FetchedBatch>;
  close(): Promise<void>;
}

export async function openPartitionReader(kafka: Kafka, fetchBytesMax = 4 * 1024 * 1024): Promise<PartitionReader> {
  const cluster = createCluster(kafka);
  await cluster.connect();
  return {
    async fetch(topic, partition, offset, waitMsMax) {
      await cluster.addTargetTopic(topic);
      const leader = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))[0];
      if (leader === undefined) throw new Error(`partition ${topic}-${partition} has no leader`);
      const broker = await cluster.findBroker({ nodeId: leader });
      const { responses } = await broker.fetch({
        maxWaitTime: waitMsMax, minBytes: 1, maxBytes: fetchBytesMax, isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: fetchBytesMax }] }],
      });
      return new FetchedBatch(topic, String(offset), responses[0]!.partitions[0]!);
    },
    close: () => cluster.disconnect(),
  };
}

/** The coordinator of one group, for what kafkajs's consumer does only for itself, or not at all. */
export interface GroupCoordinator {
  leaveGroup(memberId: string): Promise<void>;
  /**
   * The committed offset of a partition, -1 where there is none. Offsets of a transaction that is not yet decided are waited
   * for: afterwards no former member can change what this says.
   */
  stableOffset(topic: string, partition: number): Promise<number>;
  close(): Promise<void>;
}

/** The coordinator is not ready, or an offset of an open transaction stands there. Error codes: kafka.apache.org/protocol. */
const OFFSET_FETCH_RETRIED: ReadonlySet<number> = new Set([14, 15, 16, 88]);
const OFFSET_FETCH = { apiKey: 9, apiVersion: 7, apiName: 'OffsetFetch' };
const STABLE_DEADLINE_MS = 120_000;

export async function openCoordinator(kafka: Kafka, groupId: string): Promise<GroupCoordinator> {
  const cluster = createCluster(kafka);
  await cluster.connect();
  return {
    async leaveGroup(memberId) {
      const coordinator = await cluster.findGroupCoordinator({ groupId });
      await coordinator.leaveGroup({ groupId, memberId });
    },
    async stableOffset(topic, partition) {
      const request = { ...OFFSET_FETCH, encode: () => Promise.resolve(new Pieces([encodeOffsetFetch(groupId, topic, partition)])) };
      const response = { decode: (bytes: Buffer) => Promise.resolve(decodeOffsetFetch(bytes)), parse: (answer: ReturnType<typeof decodeOffsetFetch>) => Promise.resolve(answer) };
      for (const deadline = Date.now() + STABLE_DEADLINE_MS; ; await sleep(20)) {
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        const { offset, error } = await coordinator.connectionPool.send({ request, response });
        if (error === 0) return offset;
        if (!OFFSET_FETCH_RETRIED.has(error) || Date.now() > deadline)
          throw new TidemarkError('BROKER_UNREACHABLE', `committed offset of group ${groupId} on ${topic}-${partition}: Kafka error ${error}`);
      }
    },
    close: () => cluster.disconnect(),
  };
}

/**
 * kafkajs asks for the coordinator before each of a transaction's calls, four of its nine requests. This makes every
 * cluster of a Kafka instance remember it. A coordinator that moved fails the transaction, and the producer is then made
 * anew with a cluster that asks again.
 */
export function rememberCoordinators(kafka: Kafka): Kafka {
  const symbol = factorySymbol(kafka);
  const holder = kafka as unknown as Record<symbol, ClusterFactory>;
  const create = holder[symbol]!;
  holder[symbol] = (options) => {
    const cluster = create(options);
    const find = cluster.findGroupCoordinator.bind(cluster);
    const known = new Map<string, Coordinator>();
    cluster.findGroupCoordinator = async (request) => {
      const key = `${request.coordinatorType ?? 0}|${request.groupId}`;
      const remembered = known.get(key);
      if (remembered?.isConnected() === true) return remembered;
      const found = await find(request);
      known.set(key, found);
      return found;
    };
    return cluster;
  };
  return kafka;
}

/** Tells of every generation that a consumer of this Kafka instance joins, before its assignment is acted on. */
export function onGeneration(kafka: Kafka, joined: (membership: Membership) => void): Kafka {
  const symbol = factorySymbol(kafka);
  const holder = kafka as unknown as Record<symbol, ClusterFactory>;
  const create = holder[symbol]!;
  const watched = new WeakSet<Coordinator>();
  holder[symbol] = (options) => {
    const cluster = create(options);
    const find = cluster.findGroupCoordinator.bind(cluster);
    cluster.findGroupCoordinator = async (request) => {
      const found = await find(request);
      if (watched.has(found)) return found;
      watched.add(found);
      const sync = found.syncGroup.bind(found);
      found.syncGroup = async (about) => {
        const answer = await sync(about);
        joined({ memberId: about.memberId, generationId: about.generationId });
        return answer;
      };
      return found;
    };
    return cluster;
  };
  return kafka;
}

type ClusterFactory = (options: Record<string, unknown>) => Cluster;

/** kafkajs keeps its cluster factory behind a private symbol. */
function factorySymbol(kafka: Kafka): symbol {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === 'private:Kafka:createCluster');
  if (symbol === undefined) throw new Error('kafkajs has no cluster factory where 2.2.4 has it');
  return symbol;
}

function createCluster(kafka: Kafka): Cluster {
  const factory = (kafka as unknown as Record<symbol, ClusterFactory>)[factorySymbol(kafka)]!;
  return factory({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}
