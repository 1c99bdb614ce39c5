import t from 'tap';
import { isRejection } from '../../../../runtime/events/event-decoder.js';
import { hasOwnShape } from '../../../../runtime/events/writer-shape.js';
import { avroType } from '../../../../runtime/registry/avro-type.js';
import { AvroTypes, isWriter } from '../../../../runtime/registry/avro-types.js';
import { createRegistry } from '../../../../runtime/registry/registry.js';
import { frame } from '../../../../runtime/registry/wire-format.js';
import { loadSettings } from '../../../../runtime/settings.js';
import { CUSTOMER_EVENT_AVRO, EVENT_TYPES } from '../../../../schemas/events/customer-event.js';
import { GOOD, RECORD_TIME_MS } from '../../../support/bad-records.js';
import { testLog } from '../../../support/cluster.js';
import { decodeBoth, decoderOf } from '../../../support/event-decoder.js';

type Field = { name: string; type: unknown; default?: unknown };
const fields = CUSTOMER_EVENT_AVRO.fields as readonly Field[];
const withFields = (change: Record<string, unknown>, rest: object = {}): object =>
  ({ ...CUSTOMER_EVENT_AVRO, ...rest, fields: fields.map((field) => (Object.hasOwn(change, field.name) ? { name: field.name, type: change[field.name] } : field)) });
const isOwn = (schema: unknown): boolean => {
  const types = new AvroTypes(createRegistry(loadSettings({}), testLog), 's');
  types.learn(1, schema);
  const writer = types.writer(1)!;
  return isWriter(writer) && hasOwnShape(writer);
};
const read = (schema: unknown, value: unknown) => decodeBoth(decoderOf({ 3: schema }), frame(3, avroType(schema).toBuffer(value)), RECORD_TIME_MS);

t.test('the bytes decide what is our own shape, not the names', async (t) => {
  t.ok(isOwn(CUSTOMER_EVENT_AVRO));
  const enumType = { type: 'enum', name: 'Kind', symbols: [...EVENT_TYPES] };
  t.ok(isOwn(withFields({ event_type: enumType }, { name: 'Tracked', namespace: 'shop.v2', doc: 'x' })), 'other names, no default');
  t.ok(isOwn(withFields({ event_time: 'long' })), 'no logical type');
  t.ok(isOwn(withFields({ event_id: { type: 'string', 'avro.java.string': 'String' } })), 'Java’s string');
  t.notOk(isOwn(withFields({ event_type: { ...enumType, symbols: [...EVENT_TYPES].reverse() } })), 'symbols in another order');
  t.notOk(isOwn(withFields({ event_type: { ...enumType, symbols: [...EVENT_TYPES, 'more'] } })), 'one symbol more');
  t.notOk(isOwn(withFields({ amount: ['double', 'null'] })), 'branches in another order');
  t.notOk(isOwn(withFields({ quantity: ['null', 'long'] })), 'a long');
  t.notOk(isOwn(withFields({ event_time: { type: 'long', logicalType: 'timestamp-micros' } })), 'microseconds');
  t.notOk(isOwn({ ...CUSTOMER_EVENT_AVRO, fields: [...fields].reverse() }), 'fields in another order');
  t.notOk(isOwn({ ...CUSTOMER_EVENT_AVRO, fields: fields.slice(0, -1) }), 'a field fewer');
});

t.test('older, newer and foreign writer schemas are read into the same event', async (t) => {
  const plain = { ...GOOD };
  t.same(read({ ...CUSTOMER_EVENT_AVRO, fields: [...fields].reverse() }, plain), plain, 'fields in another order');
  t.same(read({ ...CUSTOMER_EVENT_AVRO, fields: fields.filter(({ name }) => !['amount', 'quantity', 'channel', 'properties'].includes(name)) }, plain),
    { ...plain, amount: null, quantity: null, channel: 'web', properties: {} }, 'an older one without the optional fields');
  t.same(read({ ...CUSTOMER_EVENT_AVRO, fields: [{ name: 'tenant', type: { type: 'array', items: 'string' } }, ...fields, { name: 'note', type: ['null', 'string'] }] }, { ...plain, tenant: ['a', 'b'], note: 'x' }),
    plain, 'a newer one with more fields');
  const more = { type: 'enum', name: 'EventType', symbols: [...EVENT_TYPES, 'wishlist'] };
  t.same(read(withFields({ event_type: more }), { ...plain, event_type: 'wishlist' }), { ...plain, event_type: 'other' }, 'a newer symbol reads as other');
  t.same(read(withFields({ event_type: { ...more, name: 'Kind', namespace: 'x.y' } }, { name: 'Tracked', namespace: 'shop' }), plain), plain, 'other names');
  t.same(read(withFields({ event_type: 'string', channel: ['null', 'string'], amount: 'float', quantity: 'long' }), { ...plain, amount: 2.5, channel: null, quantity: 3 }),
    { ...plain, amount: 2.5, quantity: 3 }, 'plain types');
  t.same(read(withFields({ event_time: { type: 'long', logicalType: 'timestamp-micros' } }), { ...plain, event_time: plain.event_time * 1000 + 999 }), plain, 'microseconds');
  t.same(read(withFields({ event_type: ['null', 'string'], event_time: ['null', 'long'] }), plain), plain, 'nullable where it is required, and given');
});

t.test('what cannot be read as an event says why', async (t) => {
  const refused = (schema: unknown, value: unknown) => {
    const result = read(schema, value);
    return isRejection(result) ? `${result.reason}: ${result.error}` : 'accepted';
  };
  t.match(refused(withFields({ customer_id: 'int' }), { ...GOOD, customer_id: 5 }), /^incompatible_schema: schema 3 \(tidemark\.CustomerEvent\) cannot be read as CustomerEvent: .*int/);
  t.match(refused({ ...CUSTOMER_EVENT_AVRO, fields: fields.slice(1) }, GOOD), /^incompatible_schema: .*event_id/);
  t.match(refused('string', 'hello'), /^incompatible_schema: .*expected a record/);
  t.match(refused(withFields({ event_type: 'string' }), { ...GOOD, event_type: 'teleport' }), /^rule_broken: event_type: .*got "teleport"/);
  t.match(refused(withFields({ customer_id: ['null', 'string'] }), { ...GOOD, customer_id: null }), /^rule_broken: customer_id: .*got null/);
});
