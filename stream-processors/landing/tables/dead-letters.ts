import { readDeadLetterHeaders } from '../../../schemas/events/dead-letter.js';
import { TOPICS } from '../../../schemas/topics.js';
import type { RowWriter } from '../core/row-writer.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns, writeMap } from './kafka-columns.js';

const text = (value: Buffer): string => value.toString('utf8');

/** What was no event, with its untouched bytes and why. A record that someone else put there has the reason `unknown`. */
export function deadLettersTable(): TableSpec {
  return {
    topic: TOPICS.deadLetters.name,
    table: 'dead_letters',
    columns: ['reason', 'error', 'source_topic', 'source_partition', 'source_offset', 'source_time', 'failed_at', 'record_key', 'record_value', 'headers', ...KAFKA_COLUMNS],
    encode(record, partition, out) {
      const info = readDeadLetterHeaders(record.headers, text);
      out.string(info?.reason ?? 'unknown');
      out.string(info?.error ?? 'the record has no headers of a dead letter');
      out.string(info?.topic ?? TOPICS.deadLetters.name);
      out.reserve(28);
      out.int32(whole(info?.partition, partition));
      out.int64(whole(info?.offset, record.offset));
      out.int64(whole(info?.timestamp, record.timestamp));
      out.int64(whole(info?.failedAt, record.timestamp));
      nullable(out, record.key);
      nullable(out, record.value);
      writeMap(out, Object.fromEntries(Object.entries(info?.kept ?? record.headers).map(([name, value]) => [name, text(value)])));
      writeKafkaColumns(out, partition, record);
      return true;
    },
  };
}

const whole = (value: number | undefined, otherwise: number): number => (value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : otherwise);

/** Nullable(String); ClickHouse's strings are bytes of any kind. */
function nullable(out: RowWriter, value: Buffer | null): void {
  out.reserve(1);
  out.uint8(value === null ? 1 : 0);
  if (value !== null) out.slice(value, 0, value.length);
}
