import type { Kafka, Producer, Transaction } from '../kafka/kafkajs.js';
import { REDRIVE_HEADER, type DeadLetterReason } from '../../schemas/events/dead-letter.js';
import { TOPICS } from '../../schemas/topics.js';
import { messageOf, TidemarkError } from '../errors.js';
import { isRejection, UNPREPARED, type EventDecoder } from '../events/event-decoder.js';
import { partitionOf } from '../kafka/partitioner.js';
import { offsetRanges } from '../kafka/read-partition.js';
import { letterId, redrivenIds, scanLetters, type DeadLetter, type LetterFilter } from './letters.js';

/** One id for all runs: a run that starts fences whatever run is still under way. */
const TRANSACTIONAL_ID = 'tidemark-dlq-redrive';
const BATCH_RECORDS = 500;
const BATCH_BYTES = 512 * 1024;

export interface RedriveOptions {
  readonly filter: LetterFilter;
  /** Says whether a record would be taken now. */
  readonly decoder: EventDecoder;
  /** Counts only; nothing is written. */
  readonly dryRun: boolean;
  /** Send back what would fail again, too. */
  readonly force: boolean;
  /** Most letters sent back. */
  readonly limit: number;
  readonly now: () => number;
}

export interface RedriveResult {
  /** Sent back, or to be sent back in a dry run. */
  redriven: number;
  /** Sent back by an earlier run. */
  already: number;
  /** Would fail again, by the reason they would fail for now. */
  readonly stillBroken: Map<DeadLetterReason, number>;
}

/**
 * Sends dead letters back to customer-events: key, value and headers untouched, with a header that names the letter. Each
 * goes back once, ever: the record and its mark on customer-events.dlq.redriven are one transaction, and the marks are
 * read only after every earlier run is fenced. A letter that fails again becomes a new letter.
 * @param kafka a client with the transactional profile
 * @throws TidemarkError PRODUCER_FENCED where another run has started meanwhile, TRANSACTION_FAILED
 */
export async function redrive(kafka: Kafka, { filter, decoder, dryRun, force, limit, now }: RedriveOptions): Promise<RedriveResult> {
  const result: RedriveResult = { redriven: 0, already: 0, stillBroken: new Map() };
  const partitions = (await offsetRanges(kafka, TOPICS.events.name)).length;
  const writer = dryRun ? undefined : await openWriter(kafka, partitions, now);
  try {
    const done = await redrivenIds(kafka);
    await scanLetters(kafka, filter, async (letter) => {
      if (done.has(letterId(letter.partition, letter.record.offset))) {
        result.already++;
        return true;
      }
      const broken = force ? undefined : await reasonNow(decoder, letter, now());
      if (broken !== undefined) {
        result.stillBroken.set(broken, (result.stillBroken.get(broken) ?? 0) + 1);
        return true;
      }
      await writer?.add(letter);
      result.redriven++;
      return result.redriven < limit;
    });
    await writer?.flush();
    return result;
  } finally {
    await writer?.close();
  }
}

/** The reason a record would be refused for now; undefined where it would be taken. */
async function reasonNow(decoder: EventDecoder, { record, info }: DeadLetter, nowMs: number): Promise<DeadLetterReason | undefined> {
  // A well-formed record that came too late only comes later.
  if (info.reason === 'too_late') return 'too_late';
  let answer = decoder.decodeFull(record.value, nowMs);
  while (answer === UNPREPARED) {
    await decoder.prepare(record.value!);
    answer = decoder.decodeFull(record.value, nowMs);
  }
  return isRejection(answer) ? answer.reason : undefined;
}

interface Writer {
  add(letter: DeadLetter): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

async function openWriter(kafka: Kafka, partitions: number, now: () => number): Promise<Writer> {
  const producer: Producer = kafka.producer({ transactionalId: TRANSACTIONAL_ID, idempotent: true, maxInFlightRequests: 1 });
  let begun: Transaction | undefined;
  let batch: DeadLetter[] = [];
  let bytes = 0;

  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const letters = batch;
    batch = [];
    bytes = 0;
    const transaction = begun ?? (await producer.transaction());
    begun = undefined;
    try {
      await transaction.sendBatch({
        topicMessages: [
          { topic: TOPICS.events.name, messages: letters.map((letter) => messageOfLetter(letter, partitions)) },
          { topic: TOPICS.redriven.name, messages: letters.map(({ partition, record }) => ({ key: letterId(partition, record.offset), value: String(now()), partition: 0 })) },
        ],
      });
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw failure(error, letters);
    }
  };

  await producer.connect();
  try {
    // Initialises the producer id, which fences an earlier run and ends its transaction.
    begun = await producer.transaction();
  } catch (error) {
    await producer.disconnect();
    throw failure(error, []);
  }
  return {
    async add(letter) {
      batch.push(letter);
      bytes += letter.record.value?.length ?? 0;
      if (batch.length >= BATCH_RECORDS || bytes >= BATCH_BYTES) await flush();
    },
    flush,
    async close() {
      await begun?.abort().catch(() => undefined);
      await producer.disconnect();
    },
  };
}

/** Records without a key go where they came from; the feature processor forwards them if need be. */
function messageOfLetter({ partition, record, info }: DeadLetter, partitions: number) {
  const { key, value } = record;
  return {
    key, value,
    partition: key === null ? info.partition % partitions || 0 : partitionOf(key, partitions),
    headers: { ...info.kept, [REDRIVE_HEADER]: letterId(partition, record.offset) },
  };
}

function failure(error: unknown, letters: readonly DeadLetter[]): TidemarkError {
  const fenced = /fenced|INVALID_PRODUCER_EPOCH|newer producer|old epoch/i.test(`${messageOf(error)} ${(error as { type?: string }).type ?? ''}`);
  const first = letters[0];
  const where = first === undefined ? 'before the first letter' : `${letters.length} letters from ${first.partition}:${first.record.offset} on`;
  return fenced
    ? new TidemarkError('PRODUCER_FENCED', `redrive: ${where} were not sent: another redrive has started meanwhile and goes on from here`, { cause: error })
    : new TidemarkError('TRANSACTION_FAILED', `redrive: ${where} were not sent: ${messageOf(error)}; what was sent before is recorded, so run it again`, { cause: error });
}
