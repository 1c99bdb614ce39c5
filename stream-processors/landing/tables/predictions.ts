import type { FeatureView } from '../../../schemas/features/declaration.js';
import { featureNames, featuresUnknownTo, predictionsAvro, TRIGGERS } from '../../../schemas/features/derive.js';
import { subjectOf, TOPICS } from '../../../schemas/topics.js';
import type { KafkaRecord } from '../../../runtime/kafka/records.js';
import { AvroTypes, isWriter, type WriterSchema } from '../../../runtime/registry/avro-types.js';
import type { Registry } from '../../../runtime/registry/registry.js';
import { FRAME_BYTES, schemaIdOf } from '../../../runtime/registry/wire-format.js';
import type { RowWriter } from '../core/row-writer.js';
import { transcode, type FieldKind } from '../core/transcode.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns } from './kafka-columns.js';

/** How a column's value stands in a row, in the order of the schema's own fields; the features follow. */
const COLUMNS: readonly (readonly [string, FieldKind])[] = [
  ['prediction_id', 'string'], ['customer_id', 'string'], ['event_id', 'string'], ['event_time', 'long_as_int64'], ['scored_at', 'long_as_int64'],
  ['score', 'double'], ['decision', 'string'], ['model_version', 'string'], ['view_version', 'int_as_uint16'], ['trigger', 'enum_as_int8'],
  ['degraded', 'boolean'], ['runtime', 'string'], ['produced_at', 'long_as_int64'], ['features_at', 'long_as_int64'], ['channel', 'string'],
];

/** Scores with the features they were made from. @param skipped a record that is no prediction */
export function predictionsTable(registry: Registry, view: FeatureView, skipped: (error: string) => void): TableSpec {
  const schema = predictionsAvro(view);
  const columns = [...COLUMNS.map(([name]) => name), ...featureNames(view)];
  const kinds: FieldKind[] = [...COLUMNS.map(([, kind]) => kind), ...featureNames(view).map(() => 'double' as const)];
  if (schema.fields.map(({ name }) => name).join() !== columns.join()) throw new Error('predictionsAvro has other fields than the table of predictions');
  const types = new AvroTypes(registry, subjectOf(TOPICS.predictions.name));
  const decoder = types.decoder<Record<string, unknown>>(schema);
  const layout = layoutOf(schema);
  const unknown = new Map<number, readonly string[]>();
  let ownId = -1;

  function writerOf(value: Buffer): WriterSchema | undefined {
    const writer = types.writer(schemaIdOf(value));
    return writer === undefined || !isWriter(writer) ? undefined : writer;
  }

  function encodeOwn(value: Buffer, out: RowWriter): void {
    const start = out.at;
    const end = transcode(value, FRAME_BYTES, kinds, out);
    if (end === value.length) return;
    out.at = start;
    throw new RangeError(`${value.length - end} bytes beyond the last field`);
  }

  /** A record of an older or newer view: its features by name, those that its writer did not know NaN. */
  function encodeOther(value: Buffer, out: RowWriter): void {
    const record = decoder.decode(value);
    const writer = writerOf(value)!;
    let missing = unknown.get(writer.id);
    if (missing === undefined) unknown.set(writer.id, (missing = featuresUnknownTo(writer.schema as { fields: { name: string }[] }, view)));
    for (const name of missing) record[name] = NaN;
    columns.forEach((name, i) => writeField(out, kinds[i]!, record[name]));
  }

  const encode = (record: KafkaRecord, partition: number, out: RowWriter): boolean | Promise<boolean> => {
    const { value } = record;
    const start = out.at;
    try {
      if (value === null) throw new RangeError('no value');
      const id = schemaIdOf(value);
      if (id !== ownId) {
        if (!decoder.ready(value)) return decoder.prepare(value).then(() => encode(record, partition, out));
        const writer = writerOf(value);
        if (writer !== undefined && layoutOf(writer.schema as typeof schema) === layout) ownId = id;
      }
      if (id === ownId) {
        writerOf(value)!.walk(value, FRAME_BYTES, value.length);
        encodeOwn(value, out);
      } else encodeOther(value, out);
      writeKafkaColumns(out, partition, record);
      return true;
    } catch (error) {
      out.at = start;
      skipped(error instanceof Error ? error.message : String(error));
      return false;
    }
  };

  return { topic: TOPICS.predictions.name, table: 'predictions', columns: [...columns, ...KAFKA_COLUMNS], encode };
}

/** What shows in the bytes: names, order and types of the fields. */
const layoutOf = (schema: { fields?: readonly { name: string; type: unknown }[] }): string => JSON.stringify(schema.fields?.map(({ name, type }) => [name, type]));

function writeField(out: RowWriter, kind: FieldKind, value: unknown): void {
  if (kind === 'string') return out.string(value as string);
  out.reserve(8);
  if (kind === 'double') out.float64(value as number);
  else if (kind === 'long_as_int64') out.int64(value as number);
  else if (kind === 'int_as_uint16') out.uint16(value as number);
  else if (kind === 'boolean') out.uint8(value === true ? 1 : 0);
  else out.uint8(TRIGGERS.indexOf(value as (typeof TRIGGERS)[number]));
}
