import type { Kafka, Producer, ProducerRecord } from 'kafkajs';
import { TidemarkError } from '../errors.js';
import { kafkajs } from './kafkajs.js';
import { positionsOf, sendOutputs, within, type OutputWriter } from './output-writer.js';

export interface IdempotentWriterOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topic: string;
  readonly deadlineMs: number;
  commitOffsets(positions: ReturnType<typeof positionsOf>): Promise<void>;
}

/** At least once: outputs first, then the positions; a crash between the two writes the outputs again. */
export function createIdempotentWriter({ kafka, groupId, topic, deadlineMs, commitOffsets }: IdempotentWriterOptions): OutputWriter {
  let producer: Producer | undefined;
  let opened = 0;
  let opening: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closing = producer;
    producer = undefined;
    await closing?.disconnect().catch(() => undefined);
  };
  const open = async (): Promise<void> => {
    if (producer !== undefined) return;
    const made = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await made.connect();
    producer = made;
    opened++;
  };
  return {
    close,
    open: () => (opening ??= open().finally(() => { opening = undefined; })),
    get opened() { return opened; },
    async write(entries) {
      const current = producer;
      if (current === undefined) throw new TidemarkError('TRANSACTION_FAILED', `the producer of ${groupId} is not ready: it is being made anew`);
      try {
        return await within(deadlineMs, `sending outputs of ${groupId}`, async () => {
          const written = await sendOutputs(entries, (round) => current.sendBatch({ acks: -1, topicMessages: round as unknown as ProducerRecord[] }));
          await commitOffsets(positionsOf(topic, entries));
          return written;
        });
      } catch (error) {
        if (producer === current) await close();
        throw error;
      }
    },
  };
}
