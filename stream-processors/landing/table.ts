import type { KafkaRecord } from '../../runtime/kafka/records.js';
import type { RowWriter } from './core/row-writer.js';

/** How the records of a topic become rows of a table. */
export interface TableSpec {
  readonly topic: string;
  readonly table: string;
  /** In the order in which `encode` writes them. Every table also has kafka_partition, kafka_offset and kafka_time. */
  readonly columns: readonly string[];
  /**
   * Writes the record's row in RowBinary. It must depend on the record alone, so that the same record makes the same row
   * whenever it is read.
   * @returns whether it made a row; a promise where something must be fetched first (a schema)
   */
  encode(record: KafkaRecord, partition: number, out: RowWriter): boolean | Promise<boolean>;
}
