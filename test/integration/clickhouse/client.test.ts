import { Readable } from 'node:stream';
import type { ClickHouseSettings } from '@clickhouse/client';
import t from 'tap';
import { onClickHouse } from '../../../runtime/clickhouse.js';
import { TidemarkError } from '../../../runtime/errors.js';
import { freePort } from '../../../runtime/ports.js';
import { startClickHouse } from '../../support/clickhouse.js';

const clickhouse = await startClickHouse(t, { password: 'p@ss: word' });
const client = clickhouse.client({ database: 'default' });
const rows = async (query: string, query_params: Record<string, unknown> = {}): Promise<unknown[]> =>
  (await client.query({ query, query_params, format: 'JSONEachRow' })).json();

await client.command({ query: 'CREATE TABLE v (i Int64, u UInt64, f Nullable(Float64), s String, m Map(String, String), t DateTime64(3, \'UTC\'), a Array(Float64)) ENGINE = MergeTree ORDER BY i' });

t.test('values survive the trip', async (t) => {
  t.match(await client.ping(), { success: true });
  await client.insert({
    table: 'v', format: 'JSONEachRow',
    values: [
      { i: '-9223372036854775808', u: '18446744073709551615', f: 'nan', s: 'ü\n\t\\\u0000"', m: { 'k\'': 'v' }, t: '2026-01-02T03:04:05.678Z', a: ['inf', '-inf', 0.1] },
      { i: 1, u: 0, f: null, s: '', m: {}, t: '1969-12-31T23:59:59.999Z', a: [] },
    ],
  });
  t.same(await rows('SELECT * REPLACE (toUnixTimestamp64Milli(t) AS t) FROM v ORDER BY i'), [
    { i: '-9223372036854775808', u: '18446744073709551615', f: 'nan', s: 'ü\n\t\\\u0000"', m: { 'k\'': 'v' }, t: String(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), a: ['inf', '-inf', 0.1] },
    { i: '1', u: '0', f: null, s: '', m: {}, t: '-1', a: [] },
  ]);
  t.same(await rows('SELECT {d:DateTime64(3)} = toDateTime64(\'2026-01-02 03:04:05.678\', 3) AS same, {l:Array(String)} AS l', { d: new Date('2026-01-02T03:04:05.678Z'), l: ['a\'b', 'c'] }), [{ same: 1, l: ['a\'b', 'c'] }]);
});

t.test('streams in and out', async (t) => {
  await client.command({ query: 'CREATE TABLE big (n UInt64) ENGINE = MergeTree ORDER BY n' });
  await client.insert({ table: 'big', format: 'JSONEachRow', values: Readable.from((function* () { for (let n = 0; n < 200_000; n++) yield { n }; })()) });
  const result = await client.query({ query: 'SELECT n FROM big', format: 'JSONEachRow' });
  let count = 0;
  for await (const part of result.stream()) count += part.length;
  t.equal(count, 200_000);
  const bytes = Buffer.alloc(8 * 1000);
  for (let i = 0; i < 1000; i++) bytes.writeBigUInt64LE(BigInt(10_000_000 + i), i * 8);
  const { stream } = await client.exec({ query: 'INSERT INTO big (n) FORMAT RowBinary', values: Readable.from([bytes], { objectMode: false }) });
  stream.resume();
  await new Promise((done) => stream.once('close', done));
  t.same(await rows('SELECT count() AS c FROM big WHERE n >= 10000000'), [{ c: '1000' }]);
  const first = await client.query({ query: 'SELECT number FROM numbers(1000000000)', format: 'JSONEachRow', clickhouse_settings: { wait_end_of_query: 0 } });
  for await (const _ of first.stream()) break;
  t.same(await rows('SELECT 1 AS x'), [{ x: 1 }], 'a result that is not read to its end harms nothing');
});

t.test('large parameters go in the body', async (t) => {
  const l = Array.from({ length: 2000 }, (_, i) => `customer-${i}`);
  t.same(await rows('SELECT length({l:Array(String)}) AS n', { l }), [{ n: '2000' }]);
});

t.test('sessions and settings', async (t) => {
  const session_id = 'client-session';
  await client.command({ query: 'CREATE TEMPORARY TABLE mine (x UInt8)', session_id });
  await client.insert({ table: 'mine', values: [{ x: 1 }], format: 'JSONEachRow', session_id });
  t.same(await (await client.query({ query: 'SELECT * FROM mine', format: 'JSONEachRow', session_id, clickhouse_settings: { max_threads: 1 } })).json(), [{ x: 1 }]);
});

t.test('errors', async (t) => {
  const target = clickhouse.settings;
  const failure = await onClickHouse(target, 'reading nothing', () => client.query({ query: 'SELECT * FROM nothing' })).catch((error: unknown) => error);
  t.ok(failure instanceof TidemarkError);
  t.match(failure, { code: 'CLICKHOUSE_QUERY_FAILED', message: /^reading nothing: ClickHouse http:\/\/127\.0\.0\.1:\d+ answered 60 UNKNOWN_TABLE: /, details: { code: 60, passing: false } });
  const late = async (clickhouse_settings: ClickHouseSettings): Promise<void> => {
    const result = await client.query({ query: 'SELECT throwIf(number = 300000) FROM numbers(400000) SETTINGS max_block_size = 1000', format: 'JSONEachRow', clickhouse_settings });
    for await (const _ of result.stream());
  };
  for (let i = 0; i < 20; i++) await t.rejects(late({}), { code: '395' }, 'what fails late is told by its code');
  await t.rejects(late({ wait_end_of_query: 0 }), 'and is no whole result to one who reads it as it comes');
  const away = { ...target, CLICKHOUSE_PORT: await freePort() };
  const { createClickHouse } = await import('../../../runtime/clickhouse.js');
  const lost = createClickHouse(away);
  t.match(await onClickHouse(away, 'ping', () => lost.query({ query: 'SELECT 1' })).catch((error: unknown) => error),
    { code: 'CLICKHOUSE_UNREACHABLE', message: /^ping: no answer from ClickHouse at http:\/\/127\.0\.0\.1:\d+ .*CLICKHOUSE_URL/, details: { passing: true } });
  await lost.close();
  const stranger = createClickHouse({ ...target, CLICKHOUSE_PASSWORD: 'wrong' }, { database: 'default' });
  t.match(await onClickHouse(target, 'x', () => stranger.query({ query: 'SELECT 1' })).catch((error: unknown) => error), { details: { code: 516 } });
  await stranger.close();
});
