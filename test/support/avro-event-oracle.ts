import { EVENT_TYPES } from '../../schemas/events/customer-event.js';

/**
 * The slow, obvious reader of one framed CustomerEvent: Avro's specification line by line with BigInt and a strict text
 * decoder. Throws where the bytes are not exactly one value.
 */
export function readEventByTheBook(framed: Uint8Array): Record<string, unknown> {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  let at = 5;
  const need = (bytes: number): number => {
    if (bytes < 0 || at + bytes > framed.length) throw new Error('the value ends too soon');
    at += bytes;
    return at - bytes;
  };
  const varint = (bytesMax: number): bigint => {
    let zigzag = 0n;
    for (let i = 0; i < bytesMax; i++) {
      const byte = framed[need(1)]!;
      zigzag |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return (zigzag & 1n) === 0n ? zigzag >> 1n : -((zigzag + 1n) >> 1n);
    }
    throw new Error('a number too long');
  };
  const small = (value: bigint): number => {
    // avsc's bound, one below JavaScript's.
    if (value < -9_007_199_254_740_990n || value > 9_007_199_254_740_990n) throw new Error('a number beyond 2^53');
    return Number(value);
  };
  const string = (): string => {
    const length = small(varint(10));
    const start = need(length);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(framed.subarray(start, at));
  };
  const choice = (count: number): number => {
    const index = small(varint(5));
    if (index < 0 || index >= count) throw new Error('an index that does not exist');
    return index;
  };

  const event: Record<string, unknown> = { event_id: string(), customer_id: string(), event_type: EVENT_TYPES[choice(EVENT_TYPES.length)] };
  event['amount'] = choice(2) === 0 ? null : view.getFloat64(need(8), true);
  event['quantity'] = choice(2) === 0 ? null : small(varint(5));
  event['channel'] = string();
  event['event_time'] = small(varint(10));
  const properties: Record<string, string> = {};
  for (let count = small(varint(10)); count !== 0; count = small(varint(10))) {
    const size = count < 0 ? small(varint(10)) : undefined;
    const start = at;
    for (let left = Math.abs(count); left > 0; left--) {
      const key = string();
      Object.defineProperty(properties, key, { value: string(), enumerable: true, configurable: true, writable: true });
    }
    if (size !== undefined && at - start !== size) throw new Error('a block of another size');
  }
  if (at !== framed.length) throw new Error('bytes left over');
  event['properties'] = properties;
  return event;
}
