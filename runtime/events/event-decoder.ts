import { isUtf8 } from 'node:buffer';
import { latestEventTime } from '../../schemas/events/check-event.js';
import { EVENT_BOUNDS, EVENT_TYPES, type CustomerEvent, type EventType } from '../../schemas/events/customer-event.js';
import type { DeadLetterReason, Rejection } from '../../schemas/events/dead-letter.js';
import { hashId } from '../../schemas/events/hash-id.js';
import { describeViolation, isViolation, readEvent } from '../../schemas/events/read-event.js';
import { messageOf } from '../errors.js';
import { isWriter, type AvroTypes } from '../registry/avro-types.js';
import { FRAME_BYTES, MAGIC_BYTE, schemaIdOf } from '../registry/wire-format.js';
import { directEvent, readDirect, readDirectProperties } from './direct-reader.js';
import { hasOwnShape, looseReader, type LooseReader } from './writer-shape.js';

/** What the features are computed from; one object is filled again and again. */
export interface HotEvent {
  eventId: string;
  customerId: string;
  /** hashId(eventId). */
  idHash: number;
  /** Position in EVENT_TYPES. */
  typeCode: number;
  /** NaN where the event has none. */
  amount: number;
  /** NaN where the event has none. */
  quantity: number;
  /** Epoch milliseconds. */
  timeMs: number;
  channel: string;
}

export const hotEvent = (): HotEvent => ({ eventId: '', customerId: '', idHash: 0, typeCode: 0, amount: NaN, quantity: NaN, timeMs: 0, channel: '' });

/** The answer for a value whose writer schema is not here yet: `await prepare(value)`, then ask again. */
export const UNPREPARED = Symbol('unprepared');

/**
 * Bytes of customer-events to checked events. Both ways of reading accept and reject exactly the same records, in the same
 * words, whoever reads them and when: only the bytes, the record's own time and the registry count.
 */
export interface EventDecoder {
  /**
   * Fills `into` with the few fields that features need.
   * @param timestampMs the record's own time; event_time may be ahead of it by the allowance
   * @returns undefined for a good event; the contents of `into` are undefined after any other answer
   */
  decodeHot(value: Buffer | null, timestampMs: number, into: HotEvent): undefined | Rejection | typeof UNPREPARED;
  /** The whole event, newly allocated. */
  decodeFull(value: Buffer | null, timestampMs: number): CustomerEvent | Rejection | typeof UNPREPARED;
  /** Fetches the value's writer schema; afterwards neither answers UNPREPARED for it. @throws TidemarkError REGISTRY_UNREACHABLE */
  prepare(value: Buffer): Promise<void>;
}

export const isRejection = (result: CustomerEvent | Rejection): result is Rejection => 'reason' in result;

/** How values of one schema id are read. */
type Reading = 'direct' | 'loose' | Rejection;
interface Source { reading: Reading; loose: LooseReader | undefined }

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const SOURCES_MAX = 1000;
const codes = new Map<string, number>(EVENT_TYPES.map((type, code) => [type, code]));
const reject = (reason: DeadLetterReason, error: string): Rejection => ({ reason, error });

/** @param aheadMsMax how far event_time may be ahead of the record's own time (EVENT_TIME_MAX_AHEAD_S in milliseconds) */
export function createEventDecoder(types: AvroTypes, aheadMsMax: number): EventDecoder {
  const sources = new Map<number, Source>();
  const direct = directEvent();
  // Nearly all records of a topic have one schema: its id is compared before any lookup.
  let directId = -1;

  function sourceOf(id: number): Source | Rejection | typeof UNPREPARED {
    const known = sources.get(id);
    if (known !== undefined) return known;
    const writer = types.writer(id);
    if (writer === undefined) return UNPREPARED;
    if (!isWriter(writer)) return reject(writer.missing === 'unknown' ? 'unknown_schema' : 'incompatible_schema', writer.error);
    let source: Source;
    try {
      source = { reading: hasOwnShape(writer) ? 'direct' : 'loose', loose: looseReader(writer) };
    } catch (error) {
      source = { reading: reject('incompatible_schema', messageOf(error)), loose: undefined };
    }
    if (sources.size >= SOURCES_MAX) sources.clear();
    sources.set(id, source);
    return source;
  }

  /** True where the value has our schema's shape in its common form; `direct` then holds its fields. */
  function takesDirect(value: Buffer, latestMs: number): boolean {
    if (value.length < FRAME_BYTES || value[0] !== MAGIC_BYTE || value.length > EVENT_BOUNDS.record_bytes_max) return false;
    const id = value.readUInt32BE(1);
    if (id !== directId) {
      const source = sourceOf(id);
      if (source === UNPREPARED || !('reading' in source) || source.reading !== 'direct') return false;
      directId = id;
    }
    return readDirect(value, latestMs, direct);
  }

  /** The long way, which decides on every record that the direct reader does not take. */
  function decodeLoose(value: Buffer | null, latestMs: number): CustomerEvent | Rejection | typeof UNPREPARED {
    const object = objectOf(value);
    if (object === UNPREPARED || isRejected(object)) return object;
    const event = readEvent(object.fields, latestMs);
    return isViolation(event) ? reject('rule_broken', describeViolation(event, object.fields)) : event;
  }

  function objectOf(value: Buffer | null): { fields: Record<string, unknown> } | Rejection | typeof UNPREPARED {
    if (value === null || value.length === 0) return reject('empty', value === null ? 'the record has no value (a tombstone)' : 'the value has no bytes');
    if (value.length > EVENT_BOUNDS.record_bytes_max)
      return reject('too_large', `the value has ${value.length} bytes, at most ${EVENT_BOUNDS.record_bytes_max} are taken`);
    switch (value[0]) {
      case MAGIC_BYTE: return avroObject(value);
      case OPEN_BRACE: return jsonObject(value);
      case OPEN_BRACKET: return reject('not_an_object', 'the value is a JSON array, expected one object a record');
      default:
        return reject('bad_magic', `the value begins with byte 0x${value[0]!.toString(16).padStart(2, '0')}, expected 0x00 (Confluent header) or { (JSON)`);
    }
  }

  function avroObject(value: Buffer): { fields: Record<string, unknown> } | Rejection | typeof UNPREPARED {
    const id = schemaIdOf(value);
    if (id === -1) return reject('truncated', `the Confluent header is cut off: ${value.length} bytes of ${FRAME_BYTES}`);
    const source = sourceOf(id);
    if (source === UNPREPARED || isRejected(source)) return source;
    if (typeof source.reading === 'object') return source.reading;
    try {
      return { fields: source.loose!(value) };
    } catch (error) {
      return reject('undecodable', `schema ${id}: ${messageOf(error)}`);
    }
  }

  return {
    decodeHot(value, timestampMs, into) {
      const latestMs = latestEventTime(timestampMs, aheadMsMax);
      if (value !== null && takesDirect(value, latestMs)) {
        into.eventId = value.latin1Slice(direct.eventIdStart, direct.eventIdEnd);
        into.customerId = value.latin1Slice(direct.customerIdStart, direct.customerIdEnd);
        into.idHash = direct.idHash;
        into.typeCode = direct.typeCode;
        into.amount = direct.amount;
        into.quantity = direct.quantity;
        into.timeMs = direct.timeMs;
        into.channel = value.latin1Slice(direct.channelStart, direct.channelEnd);
        return undefined;
      }
      const event = decodeLoose(value, latestMs);
      if (event === UNPREPARED || isRejection(event)) return event;
      into.eventId = event.event_id;
      into.customerId = event.customer_id;
      into.idHash = hashId(event.event_id);
      into.typeCode = codes.get(event.event_type)!;
      into.amount = event.amount ?? NaN;
      into.quantity = event.quantity ?? NaN;
      into.timeMs = event.event_time;
      into.channel = event.channel;
      return undefined;
    },

    decodeFull(value, timestampMs) {
      const latestMs = latestEventTime(timestampMs, aheadMsMax);
      if (value === null || !takesDirect(value, latestMs)) return decodeLoose(value, latestMs);
      return {
        event_id: value.latin1Slice(direct.eventIdStart, direct.eventIdEnd),
        customer_id: value.latin1Slice(direct.customerIdStart, direct.customerIdEnd),
        event_type: EVENT_TYPES[direct.typeCode] as EventType,
        amount: Number.isNaN(direct.amount) ? null : direct.amount,
        quantity: Number.isNaN(direct.quantity) ? null : direct.quantity,
        channel: value.latin1Slice(direct.channelStart, direct.channelEnd),
        event_time: direct.timeMs,
        properties: readDirectProperties(value, direct.propertiesStart),
      };
    },

    async prepare(value) {
      const id = schemaIdOf(value);
      if (id !== -1 && value.length <= EVENT_BOUNDS.record_bytes_max) await types.prepare(id);
    },
  };
}

const isRejected = (result: object): result is Rejection => 'reason' in result;

function jsonObject(value: Buffer): { fields: Record<string, unknown> } | Rejection {
  if (!isUtf8(value)) return reject('not_json', 'the value begins with { and is not valid UTF-8');
  try {
    return { fields: JSON.parse(value.utf8Slice()) as Record<string, unknown> };
  } catch (error) {
    return reject('not_json', `the value begins with { and is not JSON: ${messageOf(error).slice(0, 200)}`);
  }
}
