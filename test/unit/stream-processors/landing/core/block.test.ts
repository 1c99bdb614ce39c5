import t from 'tap';
import { Block, identityOf } from '../../../../../stream-processors/landing/core/block.js';
import { decodeIntent, encodeIntent } from '../../../../../stream-processors/landing/core/intent.js';
import { RowWriter } from '../../../../../stream-processors/landing/core/row-writer.js';
import { transcode } from '../../../../../stream-processors/landing/core/transcode.js';
import { avroType } from '../../../../../runtime/registry/avro-type.js';

t.test('an intent survives the trip; anything else is none', (t) => {
  t.same(decodeIntent(encodeIntent({ to: 120, at_ms: 5 }), 100), { to: 120, at_ms: 5 });
  t.equal(decodeIntent(encodeIntent({ to: 100, at_ms: 5 }), 100), undefined, 'nothing between from and to');
  for (const text of ['', null, undefined, 'to=5', 'landing to=-1 at=2', 'landing to=5 at=2 x']) t.equal(decodeIntent(text, 0), undefined);
  t.end();
});

t.test('a block knows its rows, its boundaries and what is missing of it', (t) => {
  const block = new Block(7, 0);
  for (const [offset, text] of [[7, 'a'], [8, ''], [10, 'ccc']] as const) {
    if (text !== '') block.rows.string(text);
    block.seen(offset, 1000 + offset, text !== '');
  }
  t.match({ count: block.count, from: block.from, to: block.to, token: block.token('t', 3) }, { count: 2, from: 7, to: 11, token: 't-3-7-11-1007-1010' });
  t.same(block.body, Buffer.from('\x01a\x03ccc'));
  t.same(block.without(new Set([identityOf(7, 1007)])), { body: Buffer.from('\x03ccc'), count: 1 });
  t.equal(block.without(new Set([identityOf(7, 1), identityOf(10, 2)])).count, 2, 'rows of another topic of the same name are others');
  t.end();
});

t.test('RowBinary: lengths, text of every size, whole numbers beyond 32 bits and below 0', (t) => {
  const out = new RowWriter(8);
  const texts = ['', 'é', 'x'.repeat(127), 'ü'.repeat(100), '漢'.repeat(6000)];
  for (const text of texts) out.string(text);
  let at = 0;
  for (const text of texts) {
    let [length, shift] = [0, 0];
    for (;;) {
      const byte = out.bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80) break;
    }
    t.equal(out.bytes.toString('utf8', at, at + length), text);
    at += length;
  }
  t.equal(at, out.at);
  const numbers = [0, 1, -1, 2 ** 32, -(2 ** 32) - 5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1_700_000_000_123];
  out.reserve(8 * numbers.length);
  const start = out.at;
  for (const number of numbers) out.int64(number);
  t.same(numbers.map((_, i) => Number(out.bytes.readBigInt64LE(start + 8 * i))), numbers);
  t.end();
});

t.test('Avro to RowBinary without objects', (t) => {
  const type = avroType({ type: 'record', name: 'R', fields: [
    { name: 's', type: 'string' }, { name: 'l', type: 'long' }, { name: 'd', type: 'double' }, { name: 'i', type: 'int' },
    { name: 'e', type: { type: 'enum', name: 'E', symbols: ['a', 'b'] } }, { name: 'b', type: 'boolean' },
  ] });
  const bytes = type.toBuffer({ s: 'ключ', l: -1_700_000_000_123, d: NaN, i: 300, e: 'b', b: true });
  const out = new RowWriter(4);
  t.equal(transcode(bytes, 0, ['string', 'long_as_int64', 'double', 'int_as_uint16', 'enum_as_int8', 'boolean'], out), bytes.length);
  const expected = Buffer.alloc(1 + 8 + 8 + 8 + 2 + 1 + 1);
  expected[0] = 8;
  expected.write('ключ', 1);
  expected.writeBigInt64LE(-1_700_000_000_123n, 9);
  expected.writeDoubleLE(NaN, 17);
  expected.writeUInt16LE(300, 25);
  expected[27] = 1;
  expected[28] = 1;
  t.same(out.bytes.subarray(0, out.at), expected);
  t.end();
});
