import type { EncodedRecords } from './record-writer.js';

/** Encoded records of several partitions of one topic, where kafkajs expects an array of messages. */
export class PartitionedRecords {
  readonly byPartition: Record<number, EncodedRecords> = {};
  /** kafkajs advances nothing by it, but takes an empty list for nothing to send. */
  length = 0;

  static of(records: EncodedRecords): PartitionedRecords {
    const only = new PartitionedRecords();
    only.add(records);
    return only;
  }

  /** @returns false where the partition has records in this round already */
  add(records: EncodedRecords): boolean {
    if (this.byPartition[records.partition] !== undefined) return false;
    this.byPartition[records.partition] = records;
    this.length += records.length;
    return true;
  }

  /** kafkajs looks for a message without a value, which an encoded one cannot be. */
  find(): undefined { return undefined; }
}
