import type { Kafka } from '../kafka/kafkajs.js';
import { TOPICS } from '../../schemas/topics.js';
import { openPartitionReader } from '../kafka/cluster.js';
import { followPartition } from '../kafka/follow-partition.js';
import { offsetRanges, readPartition } from '../kafka/read-partition.js';
import type { KafkaRecord } from '../kafka/records.js';
import type { Stoppable } from '../lifecycle.js';
import type { Log } from '../log.js';
import { createModelAssembler, type ManifestCodec, type ModelVersion } from './assemble.js';

export interface ModelReaderOptions {
  readonly kafka: Kafka;
  readonly codec: ManifestCodec;
  readonly log: Log;
  /** Called for every whole version in the order of the topic, one at a time; a version comes again when its stage changes. */
  onModel(version: ModelVersion): void | Promise<void>;
}

/**
 * Reads `models` as it stands now. Only the versions that `onModel` keeps stay in memory.
 * @returns the offset from which `followModels` goes on
 */
export async function readModels(options: ModelReaderOptions): Promise<number> {
  const topic = TOPICS.models.name;
  const [range] = await offsetRanges(options.kafka, topic);
  if (range === undefined || range.high === range.low) return range?.low ?? 0;
  const take = consumerOf(options);
  const reader = await openPartitionReader(options.kafka);
  try {
    return await readPartition(reader, { topic, partition: 0, from: range.low, to: range.high, onRecords: take });
  } finally {
    await reader.close();
  }
}

/**
 * Hands over every version that is published from an offset on, within about a second of its commit, until stopped.
 * A broker that is away is waited for; an error of `onModel` is logged and the version passed over.
 */
export function followModels(options: ModelReaderOptions & { readonly from: number }): Stoppable {
  const { kafka, log, from } = options;
  let take = consumerOf({ ...options, onModel: guarded(options) });
  return followPartition({
    kafka, log, from, topic: TOPICS.models.name, partition: 0,
    onRecords: (records) => take(records),
    onRestart: () => { take = consumerOf({ ...options, onModel: guarded(options) }); },
  });
}

/** A version that its taker fails on is told and passed over: reading it again would fail again. */
function guarded({ log, onModel }: ModelReaderOptions): ModelReaderOptions['onModel'] {
  return async (version) => {
    try {
      await onModel(version);
    } catch (error) {
      log.error('model_refused', error, { version: version.manifest.version, offset: version.offset });
    }
  };
}

function consumerOf({ codec, log, onModel }: ModelReaderOptions): (records: readonly KafkaRecord[]) => Promise<void> {
  const assemble = createModelAssembler(codec, (error, record) => log.error('model_unreadable', error, { offset: record.offset }));
  let next = 0;
  return async (records) => {
    for (const record of records) {
      // A fetch that failed midway is read again from its start.
      if (record.offset < next) continue;
      const version = await assemble(record);
      if (version !== undefined) await onModel(version);
      next = record.offset + 1;
    }
  };
}
