import t from 'tap';
import { parseInsert } from '../../../../../runtime/embedded/clickhouse/insert-text.js';

const cases: [sql: string, target: string, settings: string, format: string | undefined, data: string][] = [
  ['INSERT INTO t FORMAT CSV\n1,2', 'INSERT INTO t', '', 'CSV', '1,2'],
  ['insert into db.t (a, `b c`) values (1), (2)', 'insert into db.t (a, `b c`)', '', 'Values', ' (1), (2)'],
  ['INSERT INTO t SETTINGS a = 1, b = \'x\' FORMAT TSV \t\r\n x', 'INSERT INTO t', "SETTINGS a = 1, b = 'x'", 'TSV', ' x'],
  ['INSERT INTO t FORMAT JSONEachRow SETTINGS a = -1\n{"a":1}', 'INSERT INTO t', 'SETTINGS a = -1', 'JSONEachRow', '{"a":1}'],
  ['INSERT INTO t FORMAT RowBinary\n\n\n', 'INSERT INTO t', '', 'RowBinary', '\n\n'],
  ['/* c */ INSERT INTO TABLE values (`format`) FORMAT Native\n', '/* c */ INSERT INTO TABLE values (`format`)', '', 'Native', ''],
  ['INSERT INTO db.format FORMAT CSV 1', 'INSERT INTO db.format', '', 'CSV', '1'],
  ['INSERT INTO FUNCTION null(\'a Int8\') VALUES (1)', "INSERT INTO FUNCTION null('a Int8')", '', 'Values', ' (1)'],
  ['INSERT INTO t (a)', 'INSERT INTO t (a)', '', undefined, ''],
  ['INSERT INTO {t:Identifier} VALUES (1)', 'INSERT INTO {t:Identifier}', '', 'Values', ' (1)'],
];
for (const [sql, target, settings, format, data] of cases) {
  const parsed = parseInsert(sql);
  t.same({ ...parsed, dataAt: sql.slice(parsed?.dataAt) }, { target, settings, format, dataAt: data }, JSON.stringify(sql));
}
for (const sql of ['INSERT INTO t SELECT 1', 'INSERT INTO t (a) WITH 1 AS x SELECT x', "INSERT INTO t FROM INFILE 'x' FORMAT CSV"])
  t.equal(parseInsert(sql), undefined, sql);
