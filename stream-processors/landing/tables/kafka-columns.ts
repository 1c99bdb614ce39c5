import type { KafkaRecord } from '../../../runtime/kafka/records.js';
import type { RowWriter } from '../core/row-writer.js';

/** Where a row came from; the last columns of every table that landing writes. */
export const KAFKA_COLUMNS = ['kafka_partition', 'kafka_offset', 'kafka_time'] as const;

export function writeKafkaColumns(out: RowWriter, partition: number, record: KafkaRecord): void {
  out.reserve(20);
  out.int32(partition);
  out.int64(record.offset);
  out.int64(record.timestamp);
}

export function writeMap(out: RowWriter, entries: Readonly<Record<string, string>>): void {
  const names = Object.keys(entries);
  out.reserve(5);
  out.varint(names.length);
  for (const name of names) {
    out.string(name);
    out.string(entries[name]!);
  }
}
