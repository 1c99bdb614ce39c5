import { subjectOf } from '../../../schemas/topics.js';
import type { KafkaRecord } from '../../../runtime/kafka/records.js';
import { TidemarkError } from '../../../runtime/errors.js';
import { AvroTypes } from '../../../runtime/registry/avro-types.js';
import type { Registry } from '../../../runtime/registry/registry.js';
import type { RowWriter } from '../core/row-writer.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns } from './kafka-columns.js';

/** How a field stands in its column: String (or LowCardinality of it), Float64, DateTime64(3) or Int64, Bool. */
export type FlatKind = 'string' | 'double' | 'int64' | 'bool';

export interface FlatTableOptions {
  readonly topic: string;
  readonly table: string;
  readonly registry: Registry;
  /** Avro schema that records are read in. */
  readonly schema: object;
  /** Field of the record, its kind, and its column where that has another name; in the order of the row. */
  readonly fields: readonly (readonly [field: string, kind: FlatKind, column?: string])[];
  /** A record that is not of this schema. */
  readonly skipped: (error: string) => void;
}

/** A table whose columns are the fields of the topic's records. */
export function flatTable({ topic, table, registry, schema, fields, skipped }: FlatTableOptions): TableSpec {
  const decoder = new AvroTypes(registry, subjectOf(topic)).decoder<Record<string, unknown>>(schema);

  const encode = (record: KafkaRecord, partition: number, out: RowWriter): boolean | Promise<boolean> => {
    const { value } = record;
    const start = out.at;
    try {
      if (value === null) throw new RangeError('no value');
      if (!decoder.ready(value)) return decoder.prepare(value).then(() => encode(record, partition, out));
      const decoded = decoder.decode(value);
      for (const [field, kind] of fields) write(out, kind, decoded[field]);
      writeKafkaColumns(out, partition, record);
      return true;
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'REGISTRY_UNREACHABLE') throw error;
      out.at = start;
      skipped(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  return { topic, table, columns: [...fields.map(([field, , column]) => column ?? field), ...KAFKA_COLUMNS], encode };
}

function write(out: RowWriter, kind: FlatKind, value: unknown): void {
  if (kind === 'string') return out.string(value as string);
  out.reserve(8);
  if (kind === 'double') out.float64(value as number);
  else if (kind === 'int64') out.int64(value as number);
  else out.uint8(value === true ? 1 : 0);
}
