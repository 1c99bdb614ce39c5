import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { READER_PASSWORD, startClickHouse } from '../../support/clickhouse.js';
import { CLICKHOUSE_REQUIREMENTS, pythonTools } from '../../support/python.js';

/** A client that none of ours had a hand in: Python's clickhouse-connect, which speaks Native both ways, compressed. */
const PROGRAM = `
import sys, datetime, clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError
port, password = int(sys.argv[1]), sys.argv[2]
for compress in (True, 'gzip', 'zstd', 'lz4', False):
    c = clickhouse_connect.get_client(host='127.0.0.1', port=port, compress=compress)
    c.command('CREATE TABLE IF NOT EXISTS py (id UInt64, name String, f Nullable(Float64), tags Map(LowCardinality(String), String), t DateTime64(3, \\'UTC\\'), c LowCardinality(String)) ENGINE = MergeTree ORDER BY id')
    c.command('TRUNCATE TABLE py')
    now = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)
    rows = [[i, 'n' + str(i) + '\\n\\n', None if i % 2 else i / 3, {'k': 'v'} if i % 3 else {}, now, 'x' + str(i % 5)] for i in range(20000)]
    c.insert('py', rows, column_names=['id', 'name', 'f', 'tags', 't', 'c'])
    back = c.query('SELECT * FROM py ORDER BY id').result_rows
    assert [list(r[:4]) for r in back] == [r[:4] for r in rows], 'rows differ ' + str(compress)
    assert back[7][4].replace(tzinfo=datetime.timezone.utc) == now
    assert c.query('SELECT count() FROM py WHERE id < {n:UInt64} AND name != {s:String}', parameters={'n': 10, 's': "it's"}).result_rows == [(10,)]
    assert c.query('SELECT id FROM py WHERE id = 99999999').result_rows == []
    with c.query_row_block_stream('SELECT number FROM numbers(300000)') as blocks:
        assert sum(len(b) for b in blocks) == 300000
    try:
        c.query('SELECT * FROM nowhere')
        raise SystemExit('no error')
    except DatabaseError as e:
        assert 'Code: 60' in str(e), str(e)
    from clickhouse_connect.driver.external import ExternalData
    e = ExternalData(file_name='ids.csv', data=b'1\\n2\\n3\\n', fmt='CSV', structure=['id UInt64'])
    assert c.query('SELECT count() FROM py WHERE id IN (SELECT id FROM ids)', external_data=e).result_rows == [(3,)]
    c.close()
r = clickhouse_connect.get_client(host='127.0.0.1', port=port, username='reader', password=password)
assert r.query('SELECT count() FROM py').result_rows == [(20000,)]
try:
    r.command('DROP TABLE py')
    raise SystemExit('the reader dropped a table')
except DatabaseError as e:
    assert 'Code: 164' in str(e), str(e)
print('fine')
`;

const run = promisify(execFile);
const tools = await pythonTools(CLICKHOUSE_REQUIREMENTS);

t.test('clickhouse-connect', { skip: 'missing' in tools ? tools.missing : false }, async (t) => {
  if ('missing' in tools) return;
  const clickhouse = await startClickHouse(t);
  const { stdout } = await run(tools.python, ['-c', PROGRAM, new URL(clickhouse.server.url).port, READER_PASSWORD]);
  t.equal(stdout.trim(), 'fine');
});
