import { latestEventTime } from '../../../schemas/events/check-event.js';
import { EVENT_TYPES, type CustomerEvent } from '../../../schemas/events/customer-event.js';
import { EVENT_BOUNDS } from '../../../schemas/events/customer-event.js';
import { subjectOf, TOPICS } from '../../../schemas/topics.js';
import { directEvent, readDirect, readDirectProperties } from '../../../runtime/events/direct-reader.js';
import { createEventDecoder, isRejection, UNPREPARED } from '../../../runtime/events/event-decoder.js';
import { hasOwnShape } from '../../../runtime/events/writer-shape.js';
import { partitionOf } from '../../../runtime/kafka/partitioner.js';
import type { KafkaRecord } from '../../../runtime/kafka/records.js';
import { AvroTypes, isWriter } from '../../../runtime/registry/avro-types.js';
import type { Registry } from '../../../runtime/registry/registry.js';
import { MAGIC_BYTE, schemaIdOf } from '../../../runtime/registry/wire-format.js';
import type { RowWriter } from '../core/row-writer.js';
import type { TableSpec } from '../table.js';
import { KAFKA_COLUMNS, writeKafkaColumns, writeMap } from './kafka-columns.js';

export interface EventsOptions {
  readonly registry: Registry;
  /** EVENT_TIME_MAX_AHEAD_S in milliseconds. */
  readonly aheadMsMax: number;
  /** Of customer-events. */
  readonly partitions: number;
  /** What became of a record that made no row. */
  readonly skipped: (reason: 'rejected' | 'wrong_partition') => void;
}

const codes = new Map<string, number>(EVENT_TYPES.map((type, code) => [type, code]));

/**
 * Valid events. The feature processor files the others among the dead letters; one that stands on another partition than
 * its customer's is forwarded by it and comes again on the right one.
 */
export function eventsTable({ registry, aheadMsMax, partitions, skipped }: EventsOptions): TableSpec {
  const types = new AvroTypes(registry, subjectOf(TOPICS.events.name));
  const decoder = createEventDecoder(types, aheadMsMax);
  const direct = directEvent();
  /** Nearly all records have one schema, that of our own producers. */
  let ownId = -1;

  function isOwn(value: Buffer): boolean {
    if (value[0] !== MAGIC_BYTE || value.length > EVENT_BOUNDS.record_bytes_max) return false;
    const id = schemaIdOf(value);
    if (id === ownId) return true;
    const writer = types.writer(id);
    if (writer === undefined || !isWriter(writer) || !hasOwnShape(writer)) return false;
    ownId = id;
    return true;
  }

  function encodeDirect(value: Buffer, record: KafkaRecord, partition: number, out: RowWriter): boolean {
    if (partitionOf(value.subarray(direct.customerIdStart, direct.customerIdEnd), partitions) !== partition) {
      skipped('wrong_partition');
      return false;
    }
    out.slice(value, direct.eventIdStart, direct.eventIdEnd);
    out.slice(value, direct.customerIdStart, direct.customerIdEnd);
    writeNumbers(out, direct.typeCode, direct.amount, direct.quantity);
    out.slice(value, direct.channelStart, direct.channelEnd);
    out.reserve(8);
    out.int64(direct.timeMs);
    if (value[direct.propertiesStart] === 0) {
      out.reserve(1);
      out.uint8(0);
    } else writeMap(out, readDirectProperties(value, direct.propertiesStart));
    writeKafkaColumns(out, partition, record);
    return true;
  }

  function encodeEvent(event: CustomerEvent, record: KafkaRecord, partition: number, out: RowWriter): boolean {
    if (partitionOf(event.customer_id, partitions) !== partition) {
      skipped('wrong_partition');
      return false;
    }
    out.string(event.event_id);
    out.string(event.customer_id);
    writeNumbers(out, codes.get(event.event_type)!, event.amount ?? NaN, event.quantity ?? NaN);
    out.string(event.channel);
    out.reserve(8);
    out.int64(event.event_time);
    writeMap(out, event.properties);
    writeKafkaColumns(out, partition, record);
    return true;
  }

  const encode = (record: KafkaRecord, partition: number, out: RowWriter): boolean | Promise<boolean> => {
    const { value } = record;
    if (value !== null && isOwn(value) && readDirect(value, latestEventTime(record.timestamp, aheadMsMax), direct)) return encodeDirect(value, record, partition, out);
    const event = decoder.decodeFull(value, record.timestamp);
    if (event === UNPREPARED) return decoder.prepare(value!).then(() => encode(record, partition, out));
    if (!isRejection(event)) return encodeEvent(event, record, partition, out);
    skipped('rejected');
    return false;
  };

  return {
    topic: TOPICS.events.name,
    table: 'events',
    columns: ['event_id', 'customer_id', 'event_type', 'amount', 'quantity', 'channel', 'event_time', 'properties', ...KAFKA_COLUMNS],
    encode,
  };
}

/** event_type Enum8, amount Nullable(Float64), quantity Nullable(Int32); NaN stands for none. */
function writeNumbers(out: RowWriter, typeCode: number, amount: number, quantity: number): void {
  out.reserve(15);
  out.uint8(typeCode);
  if (Number.isNaN(amount)) out.uint8(1);
  else {
    out.uint8(0);
    out.float64(amount);
  }
  if (Number.isNaN(quantity)) out.uint8(1);
  else {
    out.uint8(0);
    out.int32(quantity);
  }
}
