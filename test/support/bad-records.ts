import { avroType } from '../../runtime/registry/avro-type.js';
import { frame } from '../../runtime/registry/wire-format.js';
import { CUSTOMER_EVENT_AVRO, EVENT_BOUNDS as B, type CustomerEvent } from '../../schemas/events/customer-event.js';
import type { DeadLetterReason } from '../../schemas/events/dead-letter.js';

/** A record value and what must become of it. */
export interface RecordCase {
  readonly name: string;
  readonly value: Buffer | null;
  /** Undefined: a good event. */
  readonly reason?: DeadLetterReason;
  /** A piece of the error text: the field and the rule. */
  readonly says?: string;
}

export const RECORD_TIME_MS = Date.UTC(2026, 0, 15, 12);
export const GOOD: CustomerEvent = {
  event_id: 'e-1', customer_id: 'C1', event_type: 'purchase', amount: 19.99, quantity: 1, channel: 'web',
  event_time: RECORD_TIME_MS - 1000, properties: { page: '/cart' },
};

const type = avroType(CUSTOMER_EVENT_AVRO);

/** Cases for a decoder whose `schemaId` is the id of CustomerEvent. */
export function recordCases(schemaId: number): RecordCase[] {
  const avro = (change: Partial<CustomerEvent>): Buffer => frame(schemaId, type.toBuffer({ ...GOOD, ...change }));
  const json = (change: Record<string, unknown>): Buffer => Buffer.from(JSON.stringify({ ...GOOD, ...change }));
  const good = avro({});
  const header = frame(schemaId, Buffer.alloc(0));
  const hex = (text: string): Buffer => Buffer.concat([header, Buffer.from(text, 'hex')]);
  const tail = good.subarray(5 + 1 + 3 + 1 + 2).toString('hex');
  const many = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  const broken = (name: string, change: Record<string, unknown>, says: string): RecordCase[] => [
    { name: `Avro: ${name}`, value: avro(change as Partial<CustomerEvent>), reason: 'rule_broken', says },
    { name: `JSON: ${name}`, value: json(change), reason: 'rule_broken', says },
  ];
  const taken = (name: string, change: Record<string, unknown>): RecordCase[] => [
    { name: `Avro: ${name}`, value: avro(change as Partial<CustomerEvent>) },
    { name: `JSON: ${name}`, value: json(change) },
  ];
  const brokenJson = (name: string, change: Record<string, unknown>, says: string): RecordCase => ({ name: `JSON: ${name}`, value: json(change), reason: 'rule_broken', says });
  const undecodable = (name: string, value: Buffer, says: string): RecordCase => ({ name, value, reason: 'undecodable', says });
  const withoutField = (field: keyof CustomerEvent): Buffer => Buffer.from(JSON.stringify({ ...GOOD, [field]: undefined }));

  return [
    ...taken('all fields', {}),
    ...taken('amount and quantity null, no properties', { amount: null, quantity: null, properties: {} }),
    ...taken('ids of 128 characters', { event_id: 'e'.repeat(128), customer_id: 'ü'.repeat(128) }),
    ...taken('emoji and right-to-left text in an id', { customer_id: '🛒-cust-\u202edoog\u202c' }),
    ...taken('names that every object has', { customer_id: '__proto__', event_id: 'constructor', properties: JSON.parse('{"__proto__":"x","constructor":"y"}') }),
    ...taken('64 properties, values of 1024 characters and none', { properties: { ...many(62), long: 'ü'.repeat(1024), none: '' } }),
    ...taken('control characters in a property’s value', { properties: { text: 'a\tb\nc\u0000' } }),
    ...taken('a day ahead', { event_time: RECORD_TIME_MS + 86_400_000 }),
    ...taken('the first millisecond', { event_time: 1 }),
    ...taken('the bounds of amount and quantity', { amount: -B.amount_abs_max, quantity: B.quantity_max }),
    ...taken('a negative amount and quantity 0', { amount: -5, quantity: 0 }),
    { name: 'JSON: only what is required', value: Buffer.from('{"event_id":"e","customer_id":"c","event_type":"login","event_time":"2026-01-15T11:00:00Z"}') },
    { name: 'JSON: null where a field may be left out', value: json({ amount: null, quantity: null, channel: null, properties: null }) },
    { name: 'JSON: a time with an offset', value: json({ event_time: '2026-01-15T11:00:00.5+02:00' }) },
    { name: 'JSON: keys that are not an event’s', value: Buffer.from(JSON.stringify({ ...GOOD, event_time_ms: 5, constructor: { prototype: {} } }).replace('{', '{"__proto__":{"polluted":1},')) },
    { name: 'JSON: a key given twice, the last one good', value: Buffer.from(JSON.stringify(GOOD).replace('{', '{"amount":"x",')) },

    { name: 'a tombstone', value: null, reason: 'empty' },
    { name: 'no bytes', value: Buffer.alloc(0), reason: 'empty' },
    { name: 'Avro above 64 KiB', value: Buffer.concat([good, Buffer.alloc(65_536)]), reason: 'too_large', says: '65536' },
    { name: 'JSON above 64 KiB', value: json({ customer_id: 'x'.repeat(1 << 20) }), reason: 'too_large', says: '65536' },
    { name: 'another first byte', value: Buffer.concat([Buffer.from([1]), good.subarray(1)]), reason: 'bad_magic', says: '0x01' },
    { name: 'Avro without the header', value: good.subarray(5), reason: 'bad_magic' },
    { name: 'an Avro file', value: Buffer.from('Obj\u0001rest'), reason: 'bad_magic' },
    { name: 'a byte order mark before JSON', value: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json({})]), reason: 'bad_magic' },
    { name: 'a number', value: Buffer.from('42'), reason: 'bad_magic' },
    { name: 'the first byte only', value: Buffer.from([0]), reason: 'truncated', says: '1 bytes of 5' },
    { name: 'half a header', value: good.subarray(0, 4), reason: 'truncated' },
    { name: 'schema id 0', value: frame(0, good.subarray(5)), reason: 'unknown_schema', says: 'schema id 0' },
    { name: 'a schema id beyond all', value: frame(0xffff_ffff, good.subarray(5)), reason: 'unknown_schema' },

    undecodable('header and nothing else', header, 'event_id'),
    undecodable('cut off within a string', good.subarray(0, 7), 'event_id'),
    undecodable('cut off within amount', good.subarray(0, 16), 'amount'),
    undecodable('cut off within event_time', hex('06652d31044331080000067765628080'), 'event_time'),
    undecodable('cut off before the end of the properties', good.subarray(0, good.length - 1), 'properties'),
    undecodable('a byte too many', Buffer.concat([good, Buffer.from([0])]), 'left over'),
    undecodable('two events in one value', Buffer.concat([good, good.subarray(5)]), 'left over'),
    undecodable('a negative length', hex(`05${'652d31044331'}${tail}`), 'negative length'),
    undecodable('a length of 2^31-1', hex('feffffff0f616263'), 'length 2147483647'),
    undecodable('a length of 2^62', hex(`${'fe'.padEnd(2)}${'ff'.repeat(8)}01616263`), 'length'),
    undecodable('a varint of eleven bytes', hex(`${'ff'.repeat(10)}01${tail}`), 'longer than 10 bytes'),
    undecodable('an enum index beyond the last', hex(`06652d31044331${'0e'}${tail.slice(2)}`), 'event_type'),
    undecodable('a negative enum index', hex(`06652d31044331${'01'}${tail.slice(2)}`), 'event_type'),
    undecodable('a union branch that does not exist', hex(`06652d31044331${'08'}${'04'}${tail.slice(4)}`), 'amount'),
    undecodable('a customer_id that is not UTF-8', hex(`06652d31${'08fffec080'}${tail}`), 'customer_id'),
    undecodable('a customer_id with a UTF-8 surrogate', hex(`06652d31${'08'}${'43eda080'}${tail}`), 'customer_id'),
    undecodable('a property that is not UTF-8', Buffer.concat([good.subarray(0, good.length - 2), Buffer.from([0xff, 0])]), 'properties'),
    undecodable('a map of 2^40 entries', Buffer.concat([good.subarray(0, good.length - 13), Buffer.from('8080808080800102', 'hex')]), 'properties'),
    undecodable('a map block of another size', Buffer.concat([avro({ properties: {} }).subarray(0, -1), Buffer.from('0106' + '0261' + '0262' + '00', 'hex')]), 'properties'),
    undecodable('event_time beyond 2^53', hex('06652d31044331080000067765' + '62feffffffffffffffff0100'), 'schema'),

    ...broken('an empty event_id', { event_id: '' }, 'event_id'),
    ...broken('an empty customer_id', { customer_id: '' }, 'customer_id'),
    ...broken('a customer_id of 129 characters', { customer_id: 'x'.repeat(129) }, 'customer_id'),
    ...broken('NUL within customer_id', { customer_id: 'C1\u0000C2' }, 'control characters'),
    ...broken('U+FFFD in customer_id', { customer_id: 'C\ufffd' }, 'customer_id'),
    ...broken('DEL in event_id', { event_id: 'a\u007f' }, 'event_id'),
    ...broken('amount beyond its bound', { amount: 1.1e12 }, 'amount'),
    ...broken('a negative quantity', { quantity: -3 }, 'quantity'),
    ...broken('a quantity beyond its bound', { quantity: 1_000_000_001 }, 'quantity'),
    ...broken('an empty channel', { channel: '' }, 'channel'),
    ...broken('a channel of 65 characters', { channel: 'c'.repeat(65) }, 'channel'),
    ...broken('event_time 0', { event_time: 0 }, 'event_time'),
    ...broken('event_time before 1970', { event_time: -1 }, 'event_time'),
    ...broken('event_time a day and a millisecond ahead', { event_time: RECORD_TIME_MS + 86_400_001 }, 'EVENT_TIME_MAX_AHEAD_S'),
    ...broken('65 properties', { properties: many(65) }, 'at most 64 entries'),
    ...broken('a property without a name', { properties: { '': 'v' } }, 'keys of 1 to 64'),
    ...broken('a property’s name of 65 characters', { properties: { ['k'.repeat(65)]: 'v' } }, 'keys of 1 to 64'),
    ...broken('a property’s value of 1025 characters', { properties: { k: 'v'.repeat(1025) } }, 'properties.k'),
    { name: 'Avro: amount NaN', value: avro({ amount: NaN }), reason: 'rule_broken', says: 'amount: expected a finite number' },
    { name: 'Avro: amount infinite', value: avro({ amount: Infinity }), reason: 'rule_broken', says: 'got Infinity' },

    brokenJson('no customer_id', { customer_id: undefined }, 'customer_id'),
    { name: 'JSON: no event_time', value: withoutField('event_time'), reason: 'rule_broken', says: 'event_time: expected epoch milliseconds, a whole number above 0, or ISO 8601 with zone; got nothing' },
    brokenJson('customer_id null', { customer_id: null }, 'customer_id'),
    brokenJson('customer_id a number', { customer_id: 9_007_199_254_740_993 }, 'customer_id'),
    brokenJson('customer_id an object', { customer_id: { id: { value: null } } }, 'customer_id'),
    { name: 'JSON: a lone surrogate', value: Buffer.from(JSON.stringify(GOOD).replace('"C1"', '"C\\ud800"')), reason: 'rule_broken', says: 'customer_id' },
    brokenJson('an unknown event_type', { event_type: 'teleport' }, 'got "teleport"'),
    brokenJson('event_type an array', { event_type: ['purchase'] }, 'got an array'),
    brokenJson('amount a string', { amount: '12.50 USD' }, 'amount'),
    brokenJson('amount a string of digits', { amount: '12.50' }, 'amount'),
    { name: 'JSON: amount beyond doubles', value: Buffer.from(JSON.stringify(GOOD).replace('19.99', '1e400')), reason: 'rule_broken', says: 'amount' },
    brokenJson('a fractional quantity', { quantity: 1.5 }, 'quantity'),
    brokenJson('channel a number', { channel: 1 }, 'channel'),
    brokenJson('event_time a word', { event_time: 'yesterday' }, 'event_time'),
    brokenJson('event_time without a zone', { event_time: '2026-01-15T11:00:00' }, 'event_time'),
    brokenJson('event_time a date that is none', { event_time: '2025-02-29T11:00:00Z' }, 'event_time'),
    brokenJson('event_time the zero date', { event_time: '0000-00-00T00:00:00Z' }, 'event_time'),
    brokenJson('event_time a boolean', { event_time: true }, 'event_time'),
    brokenJson('event_time a string of digits', { event_time: '1768478400000' }, 'event_time'),
    brokenJson('event_time with a fraction', { event_time: 1_768_478_400_000.5 }, 'event_time'),
    brokenJson('event_time in the year 2999', { event_time: '2999-12-31T23:59:59Z' }, 'EVENT_TIME_MAX_AHEAD_S'),
    brokenJson('properties a list', { properties: ['a'] }, 'properties: expected an object of strings'),
    brokenJson('properties a string', { properties: 'a=b' }, 'properties: expected an object of strings'),
    brokenJson('a property that is a number', { properties: { k: 1 } }, 'properties.k'),
    brokenJson('a property that is null', { properties: { k: null } }, 'properties.k'),
    { name: 'JSON: cut off', value: json({}).subarray(0, 40), reason: 'not_json' },
    { name: 'JSON: NaN', value: Buffer.from(JSON.stringify(GOOD).replace('19.99', 'NaN')), reason: 'not_json' },
    { name: 'JSON: two objects', value: Buffer.concat([json({}), json({})]), reason: 'not_json' },
    { name: 'JSON: not UTF-8', value: Buffer.from(JSON.stringify({ ...GOOD, properties: { a: 'X' } }).replace('"X"', '"\u00ff"'), 'latin1'), reason: 'not_json', says: 'UTF-8' },
    { name: 'JSON: braces 32,000 deep', value: Buffer.from('{"a":'.repeat(13_000)), reason: 'not_json' },
    { name: 'JSON: a list', value: Buffer.from(`[${JSON.stringify(GOOD)}]`), reason: 'not_an_object' },
  ];
}
