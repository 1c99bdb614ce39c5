import type { KafkaRecord, PartitionTask, TransactionOutput } from '../../runtime/kafka/records.js';
import { TOPICS } from '../../schemas/topics.js';
import type { RecordScorer, Scored } from './score-records.js';
import type { OnlineStore } from '../store/online-store.js';

export interface ScoreTaskOptions {
  readonly partition: number;
  readonly store: OnlineStore;
  /** Scores records in order; see createRecordScorer. */
  readonly score: RecordScorer;
  /** Reads customer-features from where the store stands to where the group stands; see restorePartition. */
  restore(partition: number, take: (records: readonly KafkaRecord[], nextOffset: number) => Promise<void>): Promise<void>;
  /** What a restore brought to the store. */
  restored?(rows: readonly Scored[]): void;
  /** What is committed now: for the subscribers and the metrics, while the store still has the scores before. Must not keep the array. */
  publish(partition: number, committed: readonly Scored[]): void;
}

/**
 * Scores one partition of customer-features. Predictions go out in the transaction; the online store and the
 * subscribers get them after it is committed, so that nobody is told a score that is then taken back.
 */
export function createScoreTask({ partition, store, score, restore, restored: learn, publish }: ScoreTaskOptions): PartitionTask {
  let pending: Scored[] = [];

  return {
    async open() {
      await restore(partition, async (records, nextOffset) => {
        const restored: Scored[] = [];
        await score(records, (scored) => restored.push(scored));
        learn?.(restored);
        await store.put(partition, nextOffset, restored.map(entryOf));
      });
    },
    process(records, output: TransactionOutput) {
      return score(records, (scored) => {
        if (scored.prediction !== null) output.append(TOPICS.predictions.name, scored.key, scored.prediction);
        pending.push(scored);
      }, (key, value) => output.append(TOPICS.shadow.name, key, value));
    },
    committed(nextOffset) {
      const committed = pending;
      pending = [];
      publish(partition, committed);
      return store.put(partition, nextOffset, committed.map(entryOf));
    },
    rollback() {
      pending = [];
    },
    close: () => store.flushed(),
  };
}

const entryOf = ({ customerId, prediction }: Scored): { customerId: string; value: Buffer | null } => ({ customerId, value: prediction });
