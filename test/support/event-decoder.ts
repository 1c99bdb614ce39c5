import { createEventDecoder, hotEvent, isRejection, UNPREPARED, type EventDecoder, type HotEvent } from '../../runtime/events/event-decoder.js';
import { avroType } from '../../runtime/registry/avro-type.js';
import { AvroTypes } from '../../runtime/registry/avro-types.js';
import { createRegistry } from '../../runtime/registry/registry.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { loadSettings } from '../../runtime/settings.js';
import { CUSTOMER_EVENT_AVRO, EVENT_TYPES, type CustomerEvent } from '../../schemas/events/customer-event.js';
import type { Rejection } from '../../schemas/events/dead-letter.js';
import { hashId } from '../../schemas/events/hash-id.js';
import { testLog } from './cluster.js';

export const OWN_SCHEMA_ID = 7;
export const DAY_MS = 86_400_000;
const ownType = avroType(CUSTOMER_EVENT_AVRO);

/** A decoder that knows these schemas and asks no registry; a day of allowance. */
export function decoderOf(schemas: Readonly<Record<number, unknown>> = { [OWN_SCHEMA_ID]: CUSTOMER_EVENT_AVRO }): EventDecoder {
  const types = new AvroTypes(createRegistry(loadSettings({}), testLog), 'customer-events-value');
  for (const [id, schema] of Object.entries(schemas)) types.learn(Number(id), schema);
  return createEventDecoder(types, DAY_MS);
}

export const ownBytes = (event: CustomerEvent): Buffer => frame(OWN_SCHEMA_ID, ownType.toBuffer(event));

/** What both ways of reading make of a value; throws where they are not of one mind. */
export function decodeBoth(decoder: EventDecoder, value: Buffer | null, timestampMs: number): CustomerEvent | Rejection {
  const full = decoder.decodeFull(value, timestampMs);
  const into = hotEvent();
  const hot = decoder.decodeHot(value, timestampMs, into);
  if (full === UNPREPARED || hot === UNPREPARED) throw new Error('schema not prepared');
  if (isRejection(full)) {
    if (hot === undefined || hot.reason !== full.reason || hot.error !== full.error)
      throw new Error(`decodeFull: ${full.reason} (${full.error}), decodeHot: ${hot === undefined ? 'accepted' : `${hot.reason} (${hot.error})`}`);
    return full;
  }
  if (hot !== undefined) throw new Error(`decodeFull accepts, decodeHot: ${hot.reason} (${hot.error})`);
  const expected: HotEvent = {
    channel: full.channel, eventId: full.event_id, customerId: full.customer_id, idHash: hashId(full.event_id), typeCode: EVENT_TYPES.indexOf(full.event_type),
    amount: full.amount ?? NaN, quantity: full.quantity ?? NaN, timeMs: full.event_time,
  };
  for (const name of Object.keys(expected) as (keyof HotEvent)[])
    if (!Object.is(into[name], expected[name])) throw new Error(`${name}: decodeHot ${into[name]}, decodeFull ${expected[name]}`);
  return full;
}
