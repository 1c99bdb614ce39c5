import { createRequire } from 'node:module';
import type * as KafkaJs from 'kafkajs';
import { installCodecs } from './codecs.js';
import { BATCH_HEADER_BYTES, writeBatchHeader } from './wire/record-batch.js';
import { decodeRecordSets } from './wire/decode-fetch.js';
import { FetchedBatch } from './wire/fetched-batch.js';
import { decodeTxnOffsetCommit, encodeTxnOffsetCommit, NOBODY, type Membership, type TxnOffsetCommit } from './wire/group-requests.js';
import { PartitionedRecords } from './wire/partitioned-records.js';
import { Pieces } from './wire/pieces.js';
import { EncodedRecords } from './wire/record-writer.js';

export type { Admin, Consumer, Kafka, Producer, ProducerRecord, Transaction } from 'kafkajs';

/**
 * kafkajs with its record codec replaced by the one in wire/. kafkajs is loaded here and nowhere else, because the
 * replacement must stand before its modules bind to each other. docs/decisions/kafkajs-codec.md says why and how it is held.
 */
const VERSION = '2.2.4';
const require = createRequire(import.meta.url);
const inside = (path: string): string => require.resolve(`kafkajs/src/${path}`);

if ((require('kafkajs/package.json') as { version: string }).version !== VERSION)
  throw new Error(`runtime/kafka expects kafkajs ${VERSION}: check wire/ against the new one before changing this line`);
if (require.cache[inside('index.js')] !== undefined)
  throw new Error('kafkajs was loaded before runtime/kafka/kafkajs.ts: import it from there');

function replace(path: string, make: (original: never) => unknown): void {
  const original = require(inside(path)) as never;
  require.cache[inside(path)]!.exports = make(original);
}

interface Codec { compress(encoder: { buffer: Buffer }): Promise<Buffer>; decompress(bytes: Buffer): Promise<Buffer> }
const { lookupCodec } = require(inside('protocol/message/compression/index.js')) as { lookupCodec(type: number): Codec | null };
const Encoder = require(inside('protocol/encoder.js')) as new (bytes?: number) => KafkaEncoder;
interface KafkaEncoder {
  writeString(text: string | null): KafkaEncoder;
  writeInt16(value: number): KafkaEncoder;
  writeInt32(value: number): KafkaEncoder;
  readonly buffer: Buffer;
}

async function decompress(type: number, bytes: Buffer): Promise<Buffer> {
  const codec = lookupCodec(type);
  if (codec === null) throw new Error(`record batch with unknown compression codec ${type}`);
  return codec.decompress(bytes);
}

interface ProduceRequest {
  acks: number;
  timeout: number;
  transactionalId?: string | null;
  producerId?: { toString(): string } | number;
  producerEpoch?: number;
  compression?: number;
  topicData: { topic: string; partitions: { partition: number; firstSequence: number; messages: unknown }[] }[];
}

async function encodeProduce(request: ProduceRequest): Promise<Pieces> {
  const compression = request.compression ?? 0;
  const now = Date.now();
  const pieces = new Pieces();
  const push = (fill: (encoder: KafkaEncoder) => KafkaEncoder): void => { pieces.list.push(fill(new Encoder(64)).buffer); };
  push((encoder) => encoder.writeString(request.transactionalId ?? null).writeInt16(request.acks).writeInt32(request.timeout).writeInt32(request.topicData.length));
  for (const { topic, partitions } of request.topicData) {
    push((encoder) => encoder.writeString(topic).writeInt32(partitions.length));
    for (const { partition, firstSequence, messages } of partitions) {
      const records = messages as EncodedRecords;
      const batch = compression === 0 ? records.batch()
        : Buffer.concat([Buffer.alloc(BATCH_HEADER_BYTES), await lookupCodec(compression)!.compress({ buffer: records.encoded() })]);
      writeBatchHeader(batch, records.length, now, now, {
        compression,
        transactional: !!request.transactionalId,
        producerId: BigInt((request.producerId ?? -1).toString()),
        producerEpoch: request.producerEpoch ?? 0,
        firstSequence,
      });
      push((encoder) => encoder.writeInt32(partition).writeInt32(batch.length));
      pieces.list.push(batch);
    }
  }
  return pieces;
}

/** kafkajs copies a request three times, through buffers that it grows and clears. */
replace('protocol/request.js', (original: (request: WireRequest) => Promise<{ buffer: Buffer }>) => async (given: WireRequest) => {
  const { correlationId, clientId, request } = given;
  const payload = await request.encode();
  if (!(payload instanceof Pieces)) return original({ ...given, request: { ...request, encode: () => Promise.resolve(payload) } });
  const head = new Encoder(64).writeInt32(0).writeInt16(request.apiKey).writeInt16(request.apiVersion).writeInt32(correlationId).writeString(clientId).buffer;
  const buffer = Buffer.allocUnsafe(head.length + payload.size());
  let at = head.copy(buffer);
  buffer.writeInt32BE(buffer.length - 4, 0);
  for (const piece of payload.list) at += piece.copy(buffer, at);
  return { buffer };
});

interface WireRequest {
  correlationId: number;
  clientId: string;
  request: { apiKey: number; apiVersion: number; encode(): Promise<unknown> };
}

interface ListOffsets { protocol(of: { version: number }): (request: object) => unknown }
const READ_UNCOMMITTED = 0;

replace('protocol/requests/produce/v3/request.js', (original: (request: ProduceRequest) => Record<string, unknown>) => (request: ProduceRequest) => {
  const encoded = request.topicData.every(({ partitions }) => partitions.every(({ messages }) => messages instanceof EncodedRecords));
  return encoded ? { ...original(request), encode: () => encodeProduce(request) } : original(request);
});
replace('protocol/requests/fetch/v4/decodeMessages.js', () => (decoder: never) => decodeRecordSets(decoder, decompress));
replace('consumer/batch.js', () => FetchedBatch);
/**
 * kafkajs asks for the end of what is committed, which stays behind a commit until its markers are written: whoever reads to
 * that end misses what has just been committed. The end of a partition is here the offset after its last record.
 */
replace('protocol/requests/listOffsets/index.js', (original: ListOffsets) => ({
  ...original,
  protocol: ({ version }: { version: number }) => {
    const make = original.protocol({ version });
    return (request: object) => make({ ...request, isolationLevel: READ_UNCOMMITTED });
  },
}));
/** Linear where the original copies an array for every message; already encoded records stay whole. */
replace('producer/groupMessagesPerPartition.js', () => ({ topic, partitionMetadata, messages, partitioner }: {
  topic: string; partitionMetadata: { length: number }; messages: KafkaJs.Message[] | EncodedRecords | PartitionedRecords; partitioner(args: unknown): number;
}) => {
  if (messages instanceof PartitionedRecords) return messages.byPartition;
  if (messages instanceof EncodedRecords) return { [messages.partition]: messages };
  const groups: Record<number, KafkaJs.Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) (groups[partitioner({ topic, partitionMetadata, message })] ??= []).push(message);
  return groups;
});
/** Positions with the member that commits them, where kafkajs expects an array of topics. */
export type GroupPositions = KafkaJs.TopicOffsets[] & { membership?: Membership };

/** With the member and its generation, so that the group refuses a former one. */
replace('protocol/requests/txnOffsetCommit/v1/request.js', (original: (request: object) => object) => (request: Omit<TxnOffsetCommit, 'membership'> & { topics: GroupPositions }) => ({
  ...original(request), apiVersion: 3,
  encode: () => Promise.resolve(new Pieces([encodeTxnOffsetCommit({ ...request, membership: request.topics.membership ?? NOBODY })])),
}));
replace('protocol/requests/txnOffsetCommit/v1/response.js', () => ({
  decode: (response: Buffer) => Promise.resolve({ code: decodeTxnOffsetCommit(response), clientSideThrottleTime: 0 }),
  parse({ code }: { code: number }) {
    const { createErrorFromCode } = require(inside('protocol/error.js')) as { createErrorFromCode(code: number): Error };
    return code === 0 ? Promise.resolve({}) : Promise.reject(createErrorFromCode(code));
  },
}));
/** kafkajs would commit the earliest or latest offset without a word when the committed one has expired: records lost or counted again. */
replace('consumer/offsetManager/index.js', (OffsetManager: { prototype: Record<string, unknown> }) => {
  OffsetManager.prototype['setDefaultOffset'] = ({ topic, partition }: { topic: string; partition: number }) => {
    const { KafkaJSNonRetriableError } = require(inside('errors.js')) as { KafkaJSNonRetriableError: new (message: string) => Error };
    return Promise.reject(new KafkaJSNonRetriableError(`OFFSET_EXPIRED ${topic}-${partition}`));
  };
  return OffsetManager;
});

export const kafkajs = require('kafkajs') as typeof KafkaJs;
installCodecs(kafkajs);
