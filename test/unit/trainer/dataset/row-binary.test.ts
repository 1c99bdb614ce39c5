import t from 'tap';
import { RowBinaryReader } from '../../../../trainer/dataset/row-binary.js';
import { random } from '../../../support/random.js';

const names = ['a', 'b'];

function encode(customer: string, at: number, on_event: number, churned: number, values: readonly number[]): Buffer {
  const id = Buffer.from(customer);
  const length: number[] = [];
  for (let rest = id.length; ; rest >>>= 7) {
    length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  const tail = Buffer.alloc(10 + values.length * 4);
  tail.writeBigInt64LE(BigInt(at));
  tail[8] = on_event;
  tail[9] = churned;
  values.forEach((value, i) => tail.writeFloatLE(value, 10 + 4 * i));
  return Buffer.concat([Buffer.from(length), id, tail]);
}

t.test('rows survive any cut of the stream, ids of any length and more rows than expected', async (t) => {
  const seed = 3;
  const next = random(seed);
  const expected = Array.from({ length: 3000 }, (_, i) => ({
    customer: 'ü'.repeat(Math.floor(next() * 90)) + (i % 500), at: 1_700_000_000_000 + i, on_event: i % 2, churned: i % 3 === 0 ? 1 : 0,
    values: [next() < 0.2 ? NaN : Math.fround(next() * 100), -i],
  }));
  const bytes = Buffer.concat(expected.map((row) => encode(row.customer, row.at, row.on_event, row.churned, row.values)));
  const hashes = new Set<string>();
  for (const cut of [1, 7, 64, 65_536, bytes.length]) {
    const reader = new RowBinaryReader(names, 'x', 10);
    for (let at = 0; at < bytes.length; at += cut) reader.push(bytes.subarray(at, at + cut));
    const { rows, customer_ids, data_hash } = reader.end();
    hashes.add(data_hash);
    t.equal(rows.rows, expected.length, `cut ${cut}, seed ${seed}`);
    t.same(Array.from(rows.customer, (number) => customer_ids[number]), expected.map((row) => row.customer));
    t.same(Array.from(rows.at), expected.map((row) => row.at));
    t.same(Array.from(rows.labels), expected.map((row) => row.churned));
    t.same(Array.from(rows.on_event), expected.map((row) => row.on_event));
    t.same(Array.from(rows.values, String), expected.flatMap((row) => row.values.map(String)));
  }
  t.equal(hashes.size, 1, 'the hash does not depend on the cuts');
});

t.test('a stream that ends inside a row is an error; lineage and values are part of the hash', async (t) => {
  const row = encode('c', 1, 0, 1, [1, 2]);
  const cut = new RowBinaryReader(names, 'x', 1);
  cut.push(row.subarray(0, row.length - 1));
  t.throws(() => cut.end(), /ends 19 bytes into row 0/);
  const hashOf = (lineage: string, bytes: Buffer): string => {
    const reader = new RowBinaryReader(names, lineage, 1);
    reader.push(bytes);
    return reader.end().data_hash;
  };
  t.equal(hashOf('x', row), hashOf('x', row));
  t.not(hashOf('x', row), hashOf('y', row));
  t.not(hashOf('x', row), hashOf('x', encode('c', 1, 0, 1, [1, 3])));
});
