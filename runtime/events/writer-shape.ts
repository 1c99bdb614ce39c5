import type { Type } from 'avsc';
import { messageOf } from '../errors.js';
import { avroType } from '../registry/avro-type.js';
import type { WriterSchema } from '../registry/avro-types.js';
import { FRAME_BYTES } from '../registry/wire-format.js';
import { CUSTOMER_EVENT_AVRO, EVENT_TYPES } from '../../schemas/events/customer-event.js';

/** Reads a framed value into the plain object that readEvent takes. Throws where the bytes are not one value of the schema. */
export type LooseReader = (framed: Buffer) => Record<string, unknown>;

interface Node { typeName: string; name?: string; symbols?: readonly string[]; fields?: readonly { name: string; type: Node }[]; types?: readonly Node[] }
const nodeOf = (type: Type): Node => type as unknown as Node;

/**
 * True where a value of this schema has the very bytes of our CustomerEvent: same fields in the same order, same types,
 * same enum symbols. Names of types, documentation and defaults do not show in the bytes.
 */
export function hasOwnShape(writer: WriterSchema): boolean {
  return timeDivisor(writer) === 1 && JSON.stringify(layout(nodeOf(writer.type))) === OWN_LAYOUT;
}

function layout(type: Node): unknown {
  if (type.fields !== undefined) return type.fields.map((field) => [field.name, layout(field.type)]);
  if (type.types !== undefined) return type.types.map(layout);
  if (type.symbols !== undefined) return type.symbols;
  const values = (type as { valuesType?: Node }).valuesType;
  const items = (type as { itemsType?: Node }).itemsType;
  if (values !== undefined) return { map: layout(values) };
  return items === undefined ? type.typeName : { array: layout(items) };
}
const OWN_LAYOUT = JSON.stringify(layout(nodeOf(avroType(CUSTOMER_EVENT_AVRO))));

/**
 * A reader for a schema of another shape. It resolves by Avro's rules into a form a little wider than ours: optional and
 * required fields may be null (the rules then decide), event_type may be a plain string, quantity a long, event_time
 * microseconds; the names of the record and of the enum do not matter; an enum symbol that is not ours reads as "other".
 * @throws Error in words where the schema cannot be read as an event
 */
export function looseReader(writer: WriterSchema): LooseReader {
  const written = nodeOf(writer.type);
  if (written.fields === undefined) throw new Error(`schema ${writer.id} is of type ${written.typeName}, expected a record with the fields of CustomerEvent`);
  let resolver: ReturnType<Type['createResolver']>;
  let reader: Type;
  try {
    reader = avroType(looseSchema(written));
    resolver = reader.createResolver(writer.type);
  } catch (error) {
    throw new Error(`schema ${writer.id} (${written.name ?? 'record'}) cannot be read as CustomerEvent: ${messageOf(error)}`);
  }
  const divisor = timeDivisor(writer);
  return (framed) => {
    writer.walk(framed, FRAME_BYTES, framed.length);
    const event = reader.decode(framed, FRAME_BYTES, resolver).value as Record<string, unknown>;
    if (divisor !== 1 && typeof event['event_time'] === 'number') event['event_time'] = Math.floor(event['event_time'] / divisor);
    return event;
  };
}

function looseSchema(written: Node): object {
  const typeField = written.fields!.find((field) => field.name === 'event_type')?.type;
  const typeBranches = typeField?.types ?? (typeField === undefined ? [] : [typeField]);
  const writtenEnum = typeBranches.find((branch) => branch.symbols !== undefined);
  const eventType = writtenEnum === undefined ? 'string' : { type: 'enum', name: writtenEnum.name, symbols: [...EVENT_TYPES], default: 'other' };
  return {
    type: 'record',
    name: written.name,
    fields: [
      { name: 'event_id', type: ['null', 'string'] },
      { name: 'customer_id', type: ['null', 'string'] },
      { name: 'event_type', type: ['null', eventType] },
      { name: 'amount', type: ['null', 'double'], default: null },
      { name: 'quantity', type: ['null', 'long'], default: null },
      { name: 'channel', type: ['null', 'string'], default: null },
      { name: 'event_time', type: ['null', 'long'] },
      { name: 'properties', type: ['null', { type: 'map', values: 'string' }], default: null },
    ],
  };
}

/** What event_time is to be divided by to be milliseconds; Avro's resolution does not look at logical types. */
function timeDivisor(writer: WriterSchema): number {
  const fields = (writer.schema as { fields?: { name?: unknown; type?: unknown }[] } | null)?.fields;
  const type = Array.isArray(fields) ? fields.find((field) => field.name === 'event_time')?.type : undefined;
  const branches = Array.isArray(type) ? type : [type];
  return branches.some((branch) => String((branch as { logicalType?: unknown } | null)?.logicalType).endsWith('timestamp-micros')) ? 1000 : 1;
}
