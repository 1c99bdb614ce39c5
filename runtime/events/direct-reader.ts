import './buffer-slices.js';
import { EVENT_BOUNDS, EVENT_TYPES } from '../../schemas/events/customer-event.js';
import { finishHash, HASH_FACTOR_A, HASH_FACTOR_B, HASH_SEED_A, HASH_SEED_B } from '../../schemas/events/hash-id.js';
import { FRAME_BYTES } from '../registry/wire-format.js';

/** What the direct reader found, reused from record to record; positions are bytes within the record's value. */
export interface DirectEvent {
  eventIdStart: number;
  eventIdEnd: number;
  idHash: number;
  customerIdStart: number;
  customerIdEnd: number;
  typeCode: number;
  /** NaN where the event has none. */
  amount: number;
  /** NaN where the event has none. */
  quantity: number;
  channelStart: number;
  channelEnd: number;
  timeMs: number;
  /** The map as encoded, count and end mark included. */
  propertiesStart: number;
}

export const directEvent = (): DirectEvent => ({
  eventIdStart: 0, eventIdEnd: 0, idHash: 0, customerIdStart: 0, customerIdEnd: 0, typeCode: 0, amount: NaN, quantity: NaN,
  channelStart: 0, channelEnd: 0, timeMs: 0, propertiesStart: 0,
});

const B = EVENT_BOUNDS;
const TYPE_COUNT = EVENT_TYPES.length;
/** Two 1-byte ids, type, amount and quantity null, a 1-byte channel, time, no properties. */
const SHORTEST = FRAME_BYTES + 2 + 2 + 1 + 1 + 1 + 2 + 1 + 1;

/** Where the text began that was read last. Module variables spare an allocation a field. */
let textStart = 0;

/**
 * Reads a framed value of the CustomerEvent schema in one pass over its bytes, rules checked as it goes, without an
 * allocation and never beyond the value's end.
 *
 * It takes the common form only: plain ASCII, properties in one block, every rule kept. False means "not this form", which
 * is no verdict: the record then goes the long way (walk, avsc, checkEvent), which decides and finds the words. So this
 * reader must refuse whatever the long way would refuse, and may refuse more; a test holds them together.
 */
export function readDirect(bytes: Buffer, latestTimeMs: number, into: DirectEvent): boolean {
  const end = bytes.length;
  if (end < SHORTEST) return false;

  // event_id, hashed while it is scanned
  let at = FRAME_BYTES;
  let length = bytes[at++]!;
  if (length >= 0x80) length = (length & 0x7f) | (bytes[at++]! << 7);
  if ((length & 1) === 1) return false;
  let stop = at + (length >>> 1);
  if (stop === at || stop - at > B.id_length_max || stop >= end) return false;
  into.eventIdStart = at;
  let a = HASH_SEED_A;
  let b = HASH_SEED_B;
  for (; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e) return false;
    a = Math.imul(a ^ byte, HASH_FACTOR_A);
    b = Math.imul(b ^ byte, HASH_FACTOR_B);
  }
  into.eventIdEnd = at;
  into.idHash = finishHash(a, b);

  at = shortText(bytes, at, end, B.id_length_max);
  // Type, amount's and quantity's branch, channel and time need at least six bytes more.
  if (at < 0 || at + 6 > end) return false;
  into.customerIdStart = textStart;
  into.customerIdEnd = at;

  const type = bytes[at++]!;
  if ((type & 1) === 1 || type >= 2 * TYPE_COUNT) return false;
  into.typeCode = type >>> 1;

  let branch = bytes[at++]!;
  if (branch === 0) into.amount = NaN;
  else {
    if (branch !== 2 || at + 8 > end) return false;
    const amount = bytes.readDoubleLE(at);
    if (!(amount <= B.amount_abs_max && amount >= -B.amount_abs_max)) return false;
    into.amount = amount;
    at += 8;
  }

  if (at >= end) return false;
  branch = bytes[at++]!;
  if (branch === 0) into.quantity = NaN;
  else {
    if (branch !== 2) return false;
    at = smallNumber(bytes, at, end, 5);
    if (at < 0 || numberRead > B.quantity_max) return false;
    into.quantity = numberRead;
  }

  at = shortText(bytes, at, end, B.channel_length_max);
  if (at < 0) return false;
  into.channelStart = textStart;
  into.channelEnd = at;

  at = smallNumber(bytes, at, end, 7);
  if (at < 0 || numberRead <= 0 || numberRead > latestTimeMs) return false;
  into.timeMs = numberRead;

  into.propertiesStart = at;
  return entries(bytes, at, end);
}

/** A length of 1 to lengthMax and as many printable ASCII bytes. @returns the end of the text, or -1 */
function shortText(bytes: Buffer, from: number, end: number, lengthMax: number): number {
  if (from + 1 >= end) return -1;
  let at = from;
  let length = bytes[at++]!;
  if (length >= 0x80) length = (length & 0x7f) | (bytes[at++]! << 7);
  if ((length & 1) === 1) return -1;
  length >>>= 1;
  const stop = at + length;
  if (length === 0 || length > lengthMax || stop > end) return -1;
  textStart = at;
  for (; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e) return -1;
  }
  return at;
}

let numberRead = 0;

/** A zigzag varint of at most bytesMax (up to 7: exact in a double) that is not negative, into numberRead. @returns its end, or -1 */
function smallNumber(bytes: Buffer, from: number, end: number, bytesMax: number): number {
  let at = from;
  let value = 0;
  let factor = 1;
  const stop = Math.min(end, from + bytesMax);
  while (at < stop) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      if (value % 2 !== 0) return -1;
      numberRead = value / 2;
      return at;
    }
    factor *= 128;
  }
  return -1;
}

/** Properties in one block of at most the allowed number, and nothing after them. */
function entries(bytes: Buffer, from: number, end: number): boolean {
  let at = from;
  if (at >= end) return false;
  const count = bytes[at++]!;
  if (count === 0) return at === end;
  if (count >= 0x80 || (count & 1) === 1) return false;
  for (let left = count >>> 1; left > 0; left--) {
    at = shortText(bytes, at, end, B.property_key_length_max);
    if (at < 0) return false;
    at = asciiValue(bytes, at, end);
    if (at < 0) return false;
  }
  return at === end - 1 && bytes[at] === 0;
}

/** A property's value: ASCII, control characters too, possibly empty. @returns its end, or -1 */
function asciiValue(bytes: Buffer, from: number, end: number): number {
  let at = smallNumber(bytes, from, end, 7);
  if (at < 0 || numberRead > B.property_value_length_max || at + numberRead > end) return -1;
  const start = at;
  const stop = at + numberRead;
  for (; at < stop; at++) if (bytes[at]! > 0x7f) return -1;
  textStart = start;
  return stop;
}

/** The properties of a value that `readDirect` took. */
export function readDirectProperties(bytes: Buffer, from: number): Record<string, string> {
  const properties: Record<string, string> = {};
  let at = from + 1;
  for (let left = bytes[from]! >>> 1; left > 0; left--) {
    at = shortText(bytes, at, bytes.length, B.property_key_length_max);
    const key = bytes.latin1Slice(textStart, at);
    at = asciiValue(bytes, at, bytes.length);
    const value = bytes.latin1Slice(textStart, at);
    if (key === '__proto__') Object.defineProperty(properties, key, { value, enumerable: true, writable: true, configurable: true });
    else properties[key] = value;
  }
  return properties;
}
