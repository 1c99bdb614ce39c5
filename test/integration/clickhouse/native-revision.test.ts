import t from 'tap';
import { parseType } from '../../../runtime/embedded/clickhouse/native-blocks.js';
import { startClickHouse } from '../../support/clickhouse.js';

const clickhouse = await startClickHouse(t);
const ROWS = 300;
const REVISION = 54_460;
const EXPRESSIONS = [
  'number', 'toString(number * number)', 'toInt128(number)', 'toDecimal64(number, 3)', 'toDecimal256(number, 3)', "toFixedString('abc', 5)", 'number % 2 = 0',
  "CAST(number % 2, 'Enum8(\\'a(,\\\\\\'\\' = 0, \\'b\\' = 1)')", "toDateTime64(number, 3, 'UTC')", 'toDate(number)', "toDateTime(number, 'UTC')", 'generateUUIDv4()', 'toIPv4(number)', 'toIPv6(toIPv4(number))',
  'if(number % 3 = 0, NULL, number)', "if(number % 3 = 0, NULL, 'x')", 'range(number % 5)', 'arrayMap(x -> range(x), range(number % 4))', 'arrayMap(x -> toString(x), range(number % 5))',
  "map('k', number, 'l', 2)", "CAST(map('k', 'v'), 'Map(LowCardinality(String), String)')", "tuple(number, 'x', [number])", "CAST((number, 'y'), 'Tuple(a UInt64, `b c` LowCardinality(String))')",
  "toLowCardinality(toString(number % 7))", "CAST(if(number % 3 = 0, NULL, 'x'), 'LowCardinality(Nullable(String))')", "CAST([toString(number)], 'Array(LowCardinality(String))')",
  'toIntervalDay(number)', 'NULL', '(1.5, 2.5)::Point', '[(1.5, 2.5)]::Ring', "CAST(number, 'SimpleAggregateFunction(sum, UInt64)')", '[]',
];

const native = async (select: string, revision?: number): Promise<Buffer> => {
  const answer = await fetch(`${clickhouse.server.url}/?default_format=Native&max_block_size=1000000&${revision === undefined ? '' : `client_protocol_version=${revision}`}`, { method: 'POST', body: `SELECT ${select} FROM numbers(${ROWS})` });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${select}: ${bytes.toString()}`);
  return bytes;
};
/** One column's block without its head: column count (1 byte) and 300 rows (2 bytes). */
const HEAD_BYTES = 3;
const headed = (column: Buffer): { head: Buffer; data: Buffer } => {
  const nameEnd = 1 + column[0]!;
  const lengthBytes = column[nameEnd]! < 0x80 ? 1 : 2;
  const typeLength = lengthBytes === 1 ? column[nameEnd]! : (column[nameEnd]! & 0x7f) | (column[nameEnd + 1]! << 7);
  const end = nameEnd + lengthBytes + typeLength;
  return { head: column.subarray(0, end), data: column.subarray(end) };
};

t.test('blocks for a client that names its revision, as clickhouse-go does', async (t) => {
  const info = Buffer.from([1, 0, 2, 255, 255, 255, 255, 0]);
  const last = headed((await native('toUInt8(7) AS z')).subarray(HEAD_BYTES));
  for (const expression of EXPRESSIONS) {
    const stable = expression.replace('generateUUIDv4()', "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')");
    const first = headed((await native(`${stable} AS a`)).subarray(HEAD_BYTES));
    const rows = Buffer.from([0x80 | (ROWS & 0x7f), ROWS >> 7]);
    const expected = Buffer.concat([info, Buffer.from([2]), rows, first.head, Buffer.from([0]), first.data, last.head, Buffer.from([0]), last.data]);
    const got = await native(`${stable} AS a, toUInt8(7) AS z`, REVISION);
    t.ok(got.equals(expected), `${expression}: ${got.length} bytes, expected ${expected.length}`);
  }
});

t.test('results of many blocks', async (t) => {
  const fetchBlocks = async (query: string): Promise<Buffer> => Buffer.from(await (await fetch(`${clickhouse.server.url}/?default_format=Native&client_protocol_version=${REVISION}`, { method: 'POST', body: query })).arrayBuffer());
  const many = await fetchBlocks('SELECT number FROM numbers(200000) SETTINGS max_block_size = 50000');
  t.equal(many.length, 4 * (8 + 1 + 3 + 7 + 7 + 1 + 8 * 50_000));
});

t.test('block compression is refused in words', async (t) => {
  t.match(await clickhouse.send('/?compress=1', { method: 'POST', body: 'SELECT 1' }), { status: 501, text: /Code: 48.*choose gzip/ });
});

t.same(parseType('Tuple(a UInt64, `b (c` Enum8(\'x,\' = 1))').inner.map(({ name }) => name), ['UInt64', 'Enum8']);
