import type { Kafka, Producer, ProducerRecord, RecordMetadata, Transaction } from 'kafkajs';
import { messageOf, TidemarkError } from '../errors.js';
import { kafkajs } from './kafkajs.js';
import type { OutputBuffer } from './output-buffer.js';

/** Offset after the last record written, by output topic, on the input's own partition. */
export type Written = Map<string, number>;

/** Writes what belongs to one input partition, together with the input position. */
export interface PartitionProducer {
  /** Fences every former owner of the partition; what it left open is aborted when this returns. */
  open(): Promise<void>;
  /** Writes the outputs and the position; on return both are durable. After an error nothing is known: close and open anew. */
  commit(output: OutputBuffer, nextOffset: number | undefined): Promise<Written>;
  close(): Promise<void>;
  /** How often it was opened, by itself or from outside. */
  readonly opened: number;
}

export interface ProducerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  /** The whole of a commit must end within it, retries included; below the broker's transaction timeout. */
  readonly deadlineMs: number;
  /** Records after which the producers are made anew. */
  readonly recordsMax?: number;
}

/** kafkajs lets sequence numbers wrap at 2^32 where Kafka wraps at 2^31 − 1: the producer is made anew long before. */
const RECORDS_PER_PRODUCER_MAX = 1_000_000_000;

/**
 * Two transactional ids take turns on a partition. After a commit the coordinator writes its markers for some
 * milliseconds and refuses that id's next transaction so long; the other id is free. Both are fenced on opening, before
 * the committed position is read, so a former owner can end neither.
 */
const TURNS = 2;

interface Turn {
  readonly id: string;
  producer: Producer | undefined;
  /** Begun when the producer was initialised, waiting for its first use. */
  begun: Transaction | undefined;
}

/** Exactly once: outputs and position in one transaction, `transactional.id` = group-topic-partition-turn. */
export function createTransactionalProducer({ kafka, groupId, topic, partition, deadlineMs, recordsMax = RECORDS_PER_PRODUCER_MAX }: ProducerOptions): PartitionProducer {
  const turns: Turn[] = Array.from({ length: TURNS }, (_, turn) => ({ id: `${groupId}-${topic}-${partition}-${turn}`, producer: undefined, begun: undefined }));
  let current = 0;
  let sent = 0;
  let opened = 0;

  const openTurn = async (turn: Turn): Promise<void> => {
    const producer = kafka.producer({
      transactionalId: turn.id, idempotent: true, maxInFlightRequests: 1, transactionTimeout: deadlineMs * 2,
      allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    turn.producer = producer;
    await producer.connect();
    turn.begun = await producer.transaction(); // initialises the producer id, which is what fences
  };
  const close = async (): Promise<void> => {
    const closing = turns.map(({ producer }) => producer);
    for (const turn of turns) turn.producer = turn.begun = undefined;
    await Promise.all(closing.map((producer) => producer?.disconnect().catch(() => undefined)));
  };
  const open = async (): Promise<void> => {
    await close();
    sent = 0;
    opened++;
    await within(deadlineMs, `fencing the former producers of ${topic}-${partition}`, async () => { await Promise.all(turns.map(openTurn)); });
  };

  return {
    open,
    close,
    get opened() { return opened; },
    async commit(output, nextOffset) {
      if (sent + output.count > recordsMax) await open();
      const turn = turns[current]!;
      if (turn.producer === undefined) throw new TidemarkError('INTERNAL', `producer ${turn.id} is not open`);
      current = (current + 1) % TURNS;
      sent += output.count;
      return within(deadlineMs, `transaction of ${turn.id}`, async () => {
        const transaction = turn.begun ?? (await turn.producer!.transaction());
        turn.begun = undefined;
        const written = await sendRounds(output, partition, (record) => transaction.sendBatch(record));
        if (nextOffset !== undefined) {
          const topics = [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }];
          await whileConcurrent(() => transaction.sendOffsets({ consumerGroupId: groupId, topics }));
        }
        await transaction.commit();
        return written;
      });
    },
  };
}

/** At least once: outputs first, then the position; a crash between the two writes the outputs again. */
export function createIdempotentProducer(
  { kafka, topic, partition, deadlineMs }: ProducerOptions,
  commitOffset: (topic: string, partition: number, offset: number) => Promise<void>,
): PartitionProducer {
  let producer: Producer | undefined;
  let opened = 0;
  const close = async (): Promise<void> => {
    const closing = producer;
    producer = undefined;
    await closing?.disconnect().catch(() => undefined);
  };
  return {
    close,
    get opened() { return opened; },
    async open() {
      await close();
      opened++;
      producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
      await producer.connect();
    },
    async commit(output, nextOffset) {
      const current = producer;
      if (current === undefined) throw new TidemarkError('INTERNAL', `producer of ${topic}-${partition} is not open`);
      return within(deadlineMs, `sending outputs of ${topic}-${partition}`, async () => {
        const written = await sendRounds(output, partition, (record) => current.sendBatch(record));
        if (nextOffset !== undefined) await commitOffset(topic, partition, nextOffset);
        return written;
      });
    },
  };
}

type Send = (batch: { topicMessages: ProducerRecord[]; acks: number }) => Promise<RecordMetadata[]>;

async function sendRounds(output: OutputBuffer, partition: number, send: Send): Promise<Written> {
  const written: Written = new Map();
  for (const round of output.rounds()) {
    const lengths = new Map(round.map(({ topic, messages }) => [topic, messages.length]));
    for (const { topicName, partition: on, baseOffset } of await send({ acks: -1, topicMessages: round as unknown as ProducerRecord[] }))
      if (on === partition && baseOffset !== undefined) written.set(topicName, Number(baseOffset) + lengths.get(topicName)!);
  }
  return written;
}

/** The one call that kafkajs does not retry itself when the last transaction's markers are still being written. */
async function whileConcurrent(call: () => Promise<void>): Promise<void> {
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 200)) {
    try {
      return await call();
    } catch (error) {
      if ((error as { type?: string }).type !== 'CONCURRENT_TRANSACTIONS') throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

async function within<T>(deadlineMs: number, what: string, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TidemarkError('TRANSACTION_FAILED', `${what}: not done within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    throw new TidemarkError(isFenced(error) ? 'PRODUCER_FENCED' : 'TRANSACTION_FAILED', `${what}: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const FENCED = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTION_COORDINATOR_FENCED']);
const isFenced = (error: unknown): boolean => FENCED.has(String((error as { type?: unknown }).type ?? (error as { cause?: { type?: unknown } }).cause?.type));
