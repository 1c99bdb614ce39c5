import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import t from 'tap';
import { READER_PASSWORD, startClickHouse } from '../../support/clickhouse.js';

const clickhouse = await startClickHouse(t);
const { send, sql } = clickhouse;
const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) => send(path, { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers });
const reader = `user=reader&password=${READER_PASSWORD}`;

await sql('CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a');

t.test('probes', async (t) => {
  for (const path of ['/ping', '/', '/replicas_status']) t.match(await send(path), { status: 200, text: 'Ok.\n' }, path);
  t.equal((await send('/ping', { method: 'HEAD' })).status, 200);
  t.equal((await send('/nothing')).status, 404);
});

t.test('curl in several formats', async (t) => {
  const curl = async (...args: string[]): Promise<string> => (await promisify(execFile)('curl', ['-sS', ...args])).stdout;
  const { url } = clickhouse.server;
  t.equal(await curl(`${url}/?query=SELECT%201%20AS%20x%20FORMAT%20CSVWithNames`), '"x"\n1\n');
  t.same(JSON.parse(await curl(url, '-d', 'SELECT 1 AS x, nan AS y FORMAT JSONCompact')).data, [[1, null]]);
  t.equal(await curl(`${url}/?default_format=TSV`, '-d', "SELECT 1, 'a\tb'"), '1\ta\\tb\n');
  t.equal(await curl('-H', 'X-ClickHouse-Format: JSONEachRow', url, '-d', 'SELECT 1 AS x'), '{"x":1}\n');
  t.match(await curl(`${url}/?query=SELECT%201%20AS%20x&default_format=XML`), /<x>1<\/x>/);
  t.match(await curl('--compressed', `${url}/?enable_http_compression=1`, '-d', 'SELECT number FROM numbers(5000)'), /\n4999\n$/);
  t.match(await curl(url, '-d', 'SELECT number FROM numbers(3) FORMAT Pretty'), /number/);
  t.equal((await curl('-u', `reader:${READER_PASSWORD}`, url, '-d', 'SELECT currentUser() = currentUser()')), '1\n');
});

t.test('headers', async (t) => {
  const answer = await post('/?query_id=my-id&wait_end_of_query=1', 'SELECT number FROM numbers(10) FORMAT JSON');
  t.equal(answer.headers.get('x-clickhouse-query-id'), 'my-id');
  t.equal(answer.headers.get('x-clickhouse-format'), 'JSON');
  t.equal(answer.headers.get('x-clickhouse-timezone'), 'UTC');
  t.match(answer.headers.get('content-type'), /^application\/json/);
  t.equal(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '{}').read_rows, '10');
  const written = await post('/?query=INSERT%20INTO%20t%20FORMAT%20TSV', '900\tx\n901\ty\n');
  t.equal(JSON.parse(written.headers.get('x-clickhouse-summary') ?? '{}').written_rows, '2');
  t.ok((await post('/', 'SELECT 1')).headers.get('x-clickhouse-server-display-name'));
});

t.test('errors carry ClickHouse’s code, text and status', async (t) => {
  const cases: [string, number, number][] = [
    ['SELECT * FROM nowhere', 404, 60], ['SELECT FROM WHERE', 400, 62], ['SELECT nothing', 404, 47], ['SELECT no_such_function()', 404, 46],
    ['SELECT 1 SETTINGS no_such_setting = 1', 404, 115], ["SELECT throwIf(1, 'boom')", 500, 395], ["SELECT toUInt8('x')", 400, 6],
    ['SELECT 1; SELECT 2', 400, 62], ['', 400, 62], ['SELECT {x:UInt8}', 500, 456], ['SELECT 1 INTO OUTFILE \'/tmp/never\'', 500, 1],
    ['SELECT sleep(3) SETTINGS max_execution_time = 0.2', 408, 159],
  ];
  for (const [query, status, code] of cases) {
    const answer = await post('/', query);
    t.equal(answer.status, status, `${query}: ${answer.text.slice(0, 100)}`);
    t.equal(answer.headers.get('x-clickhouse-exception-code'), String(code), query);
    t.match(answer.text, new RegExp(`^Code: ${code}\\. DB::Exception: [^]* \\([A-Z_]+\\) \\(version [\\d.]+\\)\\n$`), query);
  }
  t.match(await post('/?database=nowhere', 'SELECT 1'), { status: 404, text: /Code: 81/ });
  t.match(await post('/?no_such_setting=1', 'SELECT 1'), { status: 404, text: /Code: 115/ });
  t.match(await post('/?query=INSERT%20INTO%20t%20FORMAT%20JSONEachRow', '{"a":1}\n{"a":"x"}'), { status: 400, text: /\(at row 2\)/ });
  t.notMatch((await post('/?query=INSERT%20INTO%20t%20FORMAT%20JSONEachRow', '{"a":"x"}')).text, /incoming|in file/);
});

t.test('an error in the middle of a result cuts the answer and tells why', async (t) => {
  const answer = await fetch(clickhouse.server.url, { method: 'POST', body: 'SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 1000' });
  t.equal(answer.status, 200);
  const tag = answer.headers.get('x-clickhouse-exception-tag') ?? '';
  t.match(tag, /^\w{16}$/);
  let text = '';
  const reading = (async () => { for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) text = (text + part).slice(-4000); })();
  await t.rejects(reading, 'the body ends early');
  t.match(text, new RegExp(`__exception__\\r\\n${tag}\\r\\nCode: 395[^]*${tag}\\r\\n__exception__\\r\\n$`));
});

t.test('parameters, settings, sessions', async (t) => {
  t.equal((await post("/?param_n=3&param_s=a%5Ctb&param_l=%5B1%2C2%5D", 'SELECT {n:UInt8} + 1, {s:String}, {l:Array(UInt8)} FORMAT TSV')).text, '4\ta\\tb\t[1,2]\n');
  t.equal((await post('/?param_t=t', 'SELECT count() >= 0 FROM {t:Identifier}')).text, '1\n');
  t.equal((await post("/?param_s=it's%20%5C%5C", 'SELECT {s:String} FORMAT TSVRaw')).text, "it's \\\n");
  t.equal((await post('/?max_threads=3', "SELECT getSetting('max_threads')")).text, '3\n');
  t.not((await post('/', "SELECT getSetting('max_threads')")).text, '3\n', 'a setting ends with its request');
  const inSession = (query: string) => post('/?session_id=one', query);
  await inSession('CREATE TEMPORARY TABLE mine (x UInt8)');
  await inSession('INSERT INTO mine VALUES (7)');
  await inSession('SET max_threads = 2');
  t.equal((await inSession("SELECT x, getSetting('max_threads') FROM mine")).text, '7\t2\n');
  t.equal((await post('/', 'SELECT * FROM mine')).status, 404, 'not outside of its session');
  t.match(await post('/?session_id=unknown&session_check=1', 'SELECT 1'), { status: 404, text: /Code: 372/ });
  const both = await Promise.all([inSession('SELECT sleep(0.3)'), new Promise((next) => setTimeout(next, 100)).then(() => inSession('SELECT 1'))]);
  t.match(both[1], { text: /Code: 373/ }, 'one request at a time');
});

t.test('inserts keep every byte', async (t) => {
  await sql('CREATE TABLE bytes (s String) ENGINE = MergeTree ORDER BY s');
  const into = (format: string) => `/?query=${encodeURIComponent(`INSERT INTO bytes FORMAT ${format}`)}`;
  // The engine itself ends inline data at a blank line, and would run what follows.
  await post(into('JSONEachRow'), '{"s":"one"}\n\n\nDROP TABLE bytes\n{"s":"two"}'.replace('DROP TABLE bytes\n', '\n'));
  await post('/', 'INSERT INTO bytes FORMAT CSV\n"three\n\nDROP TABLE bytes; "\n');
  t.equal(await sql('SELECT count() FROM bytes'), '3');
  await sql('TRUNCATE TABLE bytes');
  const raw = Buffer.from(Array.from({ length: 1 << 16 }, (_, i) => (i * 7 + (i >> 5)) & 0xff));
  const binary = Buffer.concat([Buffer.from([0x80 | (raw.length & 0x7f), 0x80 | ((raw.length >> 7) & 0x7f), raw.length >> 14]), raw]);
  t.equal((await post(into('RowBinary'), binary)).status, 200);
  t.equal((await sql('SELECT hex(SHA256(s)) FROM bytes')).toLowerCase(), createHash('sha256').update(raw).digest('hex'));
  await sql('TRUNCATE TABLE bytes');
  t.equal((await post('/', Buffer.concat([Buffer.from('INSERT INTO bytes (s) SETTINGS max_threads=1 FORMAT RowBinary\n'), binary]))).status, 200, 'statement and data both in the body');
  t.equal((await sql('SELECT hex(SHA256(s)) FROM bytes')).toLowerCase(), createHash('sha256').update(raw).digest('hex'));
  await post('/?query=INSERT%20INTO%20bytes', "VALUES ('v1'), ('v2')");
  t.equal(await sql("SELECT count() FROM bytes WHERE s LIKE 'v%'"), '2', 'the parameter and the body are one text');
  await post('/', "INSERT INTO bytes SELECT 'selected'");
  t.equal(await sql("SELECT count() FROM bytes WHERE s = 'selected'"), '1');
  t.equal((await post(into('JSONEachRow'), '')).status, 200, 'no rows');
});

t.test('compressed bodies', async (t) => {
  await sql('CREATE TABLE z (n UInt32) ENGINE = MergeTree ORDER BY n');
  const lines = Buffer.from(Array.from({ length: 1000 }, (_, n) => JSON.stringify({ n })).join('\n'));
  const ways: [string, Buffer][] = [['gzip', gzipSync(lines)], ['deflate', deflateSync(lines)], ['br', brotliCompressSync(lines)], ['lz4', compressFrameSync(lines)]];
  for (const [encoding, body] of ways)
    t.equal((await post('/?query=INSERT%20INTO%20z%20FORMAT%20JSONEachRow', body, { 'content-encoding': encoding })).status, 200, encoding);
  t.equal(await sql('SELECT count(), sum(n) FROM z'), '4000\t1998000');
  t.equal((await post('/', gzipSync('SELECT 5'), { 'content-encoding': 'gzip' })).text, '5\n', 'statements too');
  t.match(await post('/', 'SELECT 1', { 'content-encoding': 'lzma' }), { text: /Code: 89/ });
  t.match(await post('/', 'not gzip', { 'content-encoding': 'gzip' }), { text: /Code: 271/ });
  for (const encoding of ['gzip', 'deflate', 'br']) {
    const answer = await post('/?enable_http_compression=1', 'SELECT number FROM numbers(100000)', { 'accept-encoding': encoding });
    t.equal(answer.headers.get('content-encoding'), encoding);
    t.equal(answer.text.length, 588_890);
  }
});

t.test('who may do what', async (t) => {
  t.match(await post('/?user=reader&password=wrong', 'SELECT 1'), { status: 403, text: /Code: 516/ });
  t.match(await post('/?user=nobody', 'SELECT 1'), { status: 403, text: /Code: 516/ });
  t.equal((await post('/', 'SELECT 1', { 'x-clickhouse-user': 'reader', 'x-clickhouse-key': READER_PASSWORD })).text, '1\n');
  for (const query of ['SELECT count() >= 0 FROM t', 'SHOW TABLES', 'DESCRIBE TABLE t', 'EXPLAIN SELECT 1', 'WITH 1 AS x SELECT x', 'EXISTS TABLE t', 'SELECT 1 SETTINGS max_threads = 1'])
    t.equal((await post(`/?${reader}`, query)).status, 200, query);
  for (const query of [
    'INSERT INTO t VALUES (1, \'x\')', 'INSERT INTO t SELECT 1, \'x\'', 'DROP TABLE t', 'CREATE TABLE u (a Int8) ENGINE = Memory', 'ALTER TABLE t DELETE WHERE 1', 'TRUNCATE TABLE t',
    'SELECT * FROM file(\'/etc/passwd\', LineAsString)', 'SELECT * FROM `file`(\'/etc/passwd\', LineAsString)', 'SELECT * FROM /* */ url (\'http://127.0.0.1:1\', CSV)', 'SELECT file(\'/etc/passwd\')',
    'SELECT * FROM remote(\'127.0.0.1\', system.one)', 'KILL QUERY WHERE 1', 'SYSTEM FLUSH LOGS', 'SET readonly = 0', 'SELECT 1 SETTINGS readonly = 0', 'SELECT 1 INTO OUTFILE \'/tmp/never\'',
    'OPTIMIZE TABLE t', 'EXPLAIN SELECT * FROM file(\'/etc/passwd\', LineAsString)', 'SELECT 1; DROP TABLE t',
  ]) t.not((await post(`/?${reader}`, query)).status, 200, query);
  t.equal((await post(`/?${reader}&readonly=0`, 'DROP TABLE t')).status, 403);
  t.match(await send('/?query=DROP%20TABLE%20t'), { status: 403, text: /Code: 164/ }, 'GET changes nothing');
  t.equal(await sql('EXISTS TABLE t'), '1');
});

t.test('pages of other sites are refused', async (t) => {
  t.equal((await post('/', 'SELECT 1', { 'sec-fetch-site': 'cross-site' })).status, 403);
});

t.test('a long query does not hold up short ones, and ends when its client goes', async (t) => {
  const gone = new AbortController();
  const long = fetch(clickhouse.server.url, { method: 'POST', body: 'SELECT (SELECT sum(cityHash64(number)) FROM numbers(100000000000))', signal: gone.signal }).catch(() => 'gone');
  await new Promise((next) => setTimeout(next, 300));
  const startedAt = performance.now();
  for (let i = 0; i < 5; i++) await sql(`SELECT ${i}`);
  t.ok(performance.now() - startedAt < 5000, 'five short ones in the meantime');
  t.equal(await sql("SELECT count() FROM system.processes WHERE query LIKE '%100000000000%' AND query NOT LIKE '%processes%'"), '1');
  gone.abort();
  t.equal(await long, 'gone');
  let running = '1';
  for (let i = 0; i < 50 && running !== '0'; i++) {
    await new Promise((next) => setTimeout(next, 100));
    running = await sql("SELECT count() FROM system.processes WHERE query LIKE '%100000000000%' AND query NOT LIKE '%processes%'");
  }
  t.equal(running, '0', 'stopped');
});

t.test('many at once wait their turn', async (t) => {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => sql(`SELECT ${i}`)));
  t.same(answers, Array.from({ length: 100 }, (_, i) => String(i)));
});

t.test('system tables and SHOW', async (t) => {
  t.match(await sql('SHOW CREATE TABLE t'), /MergeTree/);
  t.equal(await sql("SELECT engine FROM system.tables WHERE name = 't' AND database = currentDatabase()"), 'MergeTree');
  t.match(await sql('SHOW DATABASES'), /default/);
});
