import type { Kafka, Producer, ProducerRecord, Transaction } from 'kafkajs';
import { TidemarkError } from '../errors.js';
import { kafkajs, type GroupPositions } from './kafkajs.js';
import { positionsOf, recordsOf, RECORDS_PER_PRODUCER_MAX, sendOutputs, within, type OutputWriter } from './output-writer.js';

export interface TransactionWriterOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topic: string;
  /** Names this process among those of the group, the same after a restart: what it left open is then aborted at once. */
  readonly identity: string;
  /** The whole of a commit must end within it, retries included. */
  readonly deadlineMs: number;
  /** Records after which a producer is made anew. */
  readonly recordsMax?: number;
}

/**
 * Two transactional ids take turns. After a commit the coordinator writes its markers for some milliseconds and refuses
 * that id's next transaction so long; the other id is free.
 */
export const TURNS = 2;

interface Turn {
  readonly id: string;
  producer: Producer | undefined;
  /** Begun when the producer was initialised, waiting for its first use. */
  begun: Transaction | undefined;
  sent: number;
  busy: boolean;
}

/**
 * Exactly once: the outputs of all partitions that are due and the positions in them, in one transaction. The positions carry
 * the member's generation, so that the group refuses those of a former owner (KIP-447); `transactional.id` = group-identity-turn.
 */
export function createTransactionWriter({ kafka, groupId, topic, identity, deadlineMs, recordsMax = RECORDS_PER_PRODUCER_MAX }: TransactionWriterOptions): OutputWriter {
  const turns: Turn[] = Array.from({ length: TURNS }, (_, turn) => ({ id: `${groupId}-${identity}-${turn}`, producer: undefined, begun: undefined, sent: 0, busy: false }));
  let opened = 0;
  let opening: Promise<void> | undefined;

  const closeTurn = async (turn: Turn): Promise<void> => {
    const { producer } = turn;
    turn.producer = turn.begun = undefined;
    await producer?.disconnect().catch(() => undefined);
  };
  const openTurn = async (turn: Turn): Promise<void> => {
    await closeTurn(turn);
    const producer = kafka.producer({
      transactionalId: turn.id, idempotent: true, maxInFlightRequests: 1, transactionTimeout: deadlineMs,
      allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    turn.begun = await producer.transaction(); // initialises the producer id: aborts what this id left open
    turn.producer = producer;
    turn.sent = 0;
    opened++;
  };
  const openAll = async (): Promise<void> => {
    const due = turns.filter(({ producer, busy }) => producer === undefined && !busy);
    await within(deadlineMs, `initialising producers of ${groupId}`, async () => { await Promise.all(due.map(openTurn)); });
  };

  return {
    open: () => (opening ??= openAll().finally(() => { opening = undefined; })),
    close: async () => { await Promise.all(turns.map(closeTurn)); },
    get opened() { return opened; },
    async write(entries, membership) {
      const turn = turns.find(({ busy, producer }) => !busy && producer !== undefined);
      if (turn === undefined) throw new TidemarkError('TRANSACTION_FAILED', `no producer of ${groupId} is ready: one is being made anew`);
      turn.busy = true;
      try {
        return await within(deadlineMs, `transaction of ${turn.id}`, async () => {
          const records = recordsOf(entries);
          if (turn.sent + records > recordsMax) await openTurn(turn);
          turn.sent += records;
          const transaction = turn.begun ?? (await turn.producer!.transaction());
          turn.begun = undefined;
          const written = await sendOutputs(entries, (round) => transaction.sendBatch({ acks: -1, topicMessages: round as unknown as ProducerRecord[] }));
          const topics: GroupPositions = Object.assign(positionsOf(topic, entries), { membership });
          await whileConcurrent(() => transaction.sendOffsets({ consumerGroupId: groupId, topics }));
          await transaction.commit();
          // the other id is used next, so that this one's markers are out of the way
          turns.push(turns.splice(turns.indexOf(turn), 1)[0]!);
          return written;
        });
      } catch (error) {
        await closeTurn(turn);
        throw error;
      } finally {
        turn.busy = false;
      }
    },
  };
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
