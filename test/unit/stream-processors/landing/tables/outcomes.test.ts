import t from 'tap';
import { avroType } from '../../../../../runtime/registry/avro-type.js';
import type { KafkaRecord } from '../../../../../runtime/kafka/records.js';
import { TidemarkError } from '../../../../../runtime/errors.js';
import { CUSTOMER_OUTCOME_AVRO, type CustomerOutcome } from '../../../../../schemas/events/outcome.js';
import { RowWriter } from '../../../../../stream-processors/landing/core/row-writer.js';
import { outcomesTable } from '../../../../../stream-processors/landing/tables/outcomes.js';

const AT = 1_700_000_000_000;
const AHEAD = 86_400_000;
const type = avroType(CUSTOMER_OUTCOME_AVRO);
const avro = (outcome: object): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), type.toBuffer(outcome)]);

function table() {
  const skipped: string[] = [];
  const spec = outcomesTable({
    aheadMsMax: AHEAD, skipped: (reason, error) => skipped.push(`${reason} ${error}`),
    codec: {
      encode: () => Promise.reject(new Error('landing writes none')),
      decode: (value) => {
        if (value[4] === 9) return Promise.reject(new TidemarkError('REGISTRY_UNREACHABLE', 'away'));
        if (value[0] !== 0) return Promise.reject(new TidemarkError('RECORD_UNDECODABLE', 'no frame'));
        return Promise.resolve(type.fromBuffer(value.subarray(5)) as CustomerOutcome);
      },
    },
  });
  const encode = async (value: Buffer | null): Promise<Buffer | undefined> => {
    const out = new RowWriter(16);
    const record: KafkaRecord = { offset: 7, timestamp: AT, key: null, value, headers: {} };
    return (await spec.encode(record, 3, out)) ? out.bytes.subarray(0, out.at) : undefined;
  };
  return { spec, skipped, encode };
}
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The row as RowBinary: customer, outcome, three numbers of eight bytes and the partition. */
function row(customer: string, outcome: number, observedAt: number): Buffer {
  const text = Buffer.from(customer);
  const rest = Buffer.alloc(29);
  rest[0] = outcome;
  rest.writeBigInt64LE(BigInt(observedAt), 1);
  rest.writeInt32LE(3, 9);
  rest.writeBigInt64LE(7n, 13);
  rest.writeBigInt64LE(BigInt(AT), 21);
  return Buffer.concat([Buffer.from([text.length]), text, rest]);
}

t.test('Avro and JSON make the same row', async (t) => {
  const { encode, skipped, spec } = table();
  t.same(spec.columns, ['customer_id', 'outcome', 'observed_at', 'kafka_partition', 'kafka_offset', 'kafka_time']);
  const expected = row('Zoë', 1, AT - 5);
  for (const value of [
    avro({ customer_id: 'Zoë', outcome: 1, observed_at: AT - 5 }),
    json({ customer_id: 'Zoë', outcome: 1, observed_at: AT - 5 }),
    json({ customer_id: 'Zoë', outcome: true, observed_at: new Date(AT - 5).toISOString(), source: 'crm' }),
  ]) t.same(await encode(value), expected);
  t.same(await encode(json({ customer_id: 'c', outcome: false, observed_at: AT + AHEAD })), row('c', 0, AT + AHEAD), 'as far ahead as allowed');
  t.same(skipped, []);
});

t.test('what is no outcome makes no row, and its place and reason are said', async (t) => {
  const good = { customer_id: 'c', outcome: 1, observed_at: AT };
  const cases: [string, Buffer | null, RegExp][] = [
    ['no value', null, /^unreadable customer-outcomes-3@7: the record has no value/],
    ['no bytes', Buffer.alloc(0), /^unreadable/],
    ['too large', json({ ...good, note: 'x'.repeat(70_000) }), /^unreadable .* at most 65536/],
    ['text', Buffer.from('churned'), /^unreadable .*no frame/],
    ['broken JSON', Buffer.from('{"customer_id":'), /^unreadable/],
    ['no UTF-8', Buffer.from([0x7b, 0xff]), /^unreadable/],
    ['a number that is none', json({ ...good, outcome: 2 }), /^rule_broken .*outcome: expected 1 or true.*got 2/],
    ['text for a number', json({ ...good, outcome: '1' }), /^rule_broken .*outcome/],
    ['an Avro int beyond', avro({ ...good, outcome: -1 }), /^rule_broken .*outcome/],
    ['no customer', json({ outcome: 1, observed_at: AT }), /^rule_broken .*customer_id: .*got nothing/],
    ['an empty customer', avro({ ...good, customer_id: '' }), /^rule_broken .*customer_id/],
    ['no time', json({ customer_id: 'c', outcome: 1 }), /^rule_broken .*observed_at/],
    ['a time without zone', json({ ...good, observed_at: '2026-01-01' }), /^rule_broken .*observed_at/],
    ['too far ahead', json({ ...good, observed_at: AT + AHEAD + 1 }), /^rule_broken .*observed_at: expected not after/],
  ];
  for (const [name, value, expected] of cases) {
    const { encode, skipped } = table();
    t.equal(await encode(value), undefined, name);
    t.equal(skipped.length, 1, name);
    t.match(skipped[0], expected, name);
  }
});

t.test('a registry that is away refuses nothing', async (t) => {
  const { encode, skipped } = table();
  await t.rejects(encode(Buffer.from([0, 0, 0, 0, 9, 1])), { code: 'REGISTRY_UNREACHABLE' });
  t.same(skipped, []);
});
