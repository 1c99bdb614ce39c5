import type { Kafka } from '../../runtime/kafka/kafkajs.js';
import { letterId, readLetter, redrivenIds, scanLetters, type DeadLetter, type LetterFilter } from '../../runtime/dead-letters/letters.js';
import { redrive } from '../../runtime/dead-letters/redrive.js';
import { createEventDecoder } from '../../runtime/events/event-decoder.js';
import { createKafka } from '../../runtime/kafka/client.js';
import { ensureTopics } from '../../runtime/kafka/topics.js';
import type { Log } from '../../runtime/log.js';
import { AvroTypes, isWriter } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { FRAME_BYTES, schemaIdOf } from '../../runtime/registry/wire-format.js';
import type { Settings } from '../../runtime/settings.js';
import { subjectOf, TOPICS } from '../../schemas/topics.js';
import { countLines, letterJson, letterLine, letterPage, redriveLines } from './format.js';

type Write = (text: string) => void;

async function openKafka(settings: Settings, log: Log, profile?: 'transactional'): Promise<Kafka> {
  const kafka = createKafka(settings, log, profile);
  // A system that was prepared by an older version has no topic for the marks yet.
  await ensureTopics(kafka, settings, [TOPICS.events, TOPICS.deadLetters, TOPICS.redriven]);
  return kafka;
}

/** The latest letters of the filter, oldest of them first, and how many there are of each reason. */
export async function listLetters(settings: Settings, log: Log, filter: LetterFilter, limit: number, json: boolean, write: Write): Promise<void> {
  const kafka = await openKafka(settings, log);
  const redriven = await redrivenIds(kafka);
  const counts = new Map<string, number>();
  let latest: DeadLetter[] = [];
  const byTime = (a: DeadLetter, b: DeadLetter): number => a.info.failedAt - b.info.failedAt || a.partition - b.partition || a.record.offset - b.record.offset;
  await scanLetters(kafka, filter, (letter) => {
    counts.set(letter.info.reason, (counts.get(letter.info.reason) ?? 0) + 1);
    latest.push(letter);
    if (latest.length >= 2 * limit) latest = latest.sort(byTime).slice(-limit);
  });
  latest = latest.sort(byTime).slice(-limit);
  for (const letter of latest) write(`${(json ? letterJson : letterLine)(letter, redriven.has(letterId(letter.partition, letter.record.offset)))}\n`);
  if (!json) write(countLines(counts, latest.length));
}

export async function showLetter(settings: Settings, log: Log, partition: number, offset: number, write: Write): Promise<void> {
  const kafka = await openKafka(settings, log);
  const letter = await readLetter(kafka, partition, offset);
  const redriven = await redrivenIds(kafka);
  write(letterPage(letter, redriven.has(letterId(partition, offset)), await asWritten(settings, log, letter)));
}

/** An Avro value in the words of its own schema, where the registry has it and the bytes are one. */
async function asWritten(settings: Settings, log: Log, { record: { value } }: DeadLetter): Promise<string | undefined> {
  const id = value === null ? -1 : schemaIdOf(value);
  if (value === null || id === -1) return undefined;
  try {
    const writer = await eventTypes(settings, log).prepare(id);
    if (!isWriter(writer)) return undefined;
    writer.walk(value, FRAME_BYTES, value.length);
    return JSON.stringify(writer.type.decode(value, FRAME_BYTES).value, undefined, 2);
  } catch {
    return undefined;
  }
}

export async function redriveLetters(
  settings: Settings, log: Log, filter: LetterFilter,
  options: { readonly limit: number; readonly dryRun: boolean; readonly force: boolean }, write: Write,
): Promise<void> {
  const decoder = createEventDecoder(eventTypes(settings, log), settings.EVENT_TIME_MAX_AHEAD_S * 1000);
  const result = await redrive(await openKafka(settings, log, 'transactional'), { ...options, filter, decoder, now: Date.now });
  write(redriveLines(result, options.dryRun));
}

const eventTypes = (settings: Settings, log: Log): AvroTypes => new AvroTypes(createRegistry(settings, log), subjectOf(TOPICS.events.name));
