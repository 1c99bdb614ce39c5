import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { valueBin } from '../../../clickhouse/feature-columns.js';
import { readMigrations, splitStatements } from '../../../clickhouse/migration-files.js';

t.same(splitStatements("-- a; comment;\nCREATE x\n(a Int8);\n\n  -- another\nSELECT ';' AS s, 1;  \nLAST"), ["CREATE x\n(a Int8)", "SELECT ';' AS s, 1", 'LAST']);

const folder = mkdtempSync(join(tmpdir(), 'tidemark-migrations-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

t.test('files in the order of their numbers, whatever their line ends', async (t) => {
  write('0002_b.sql', 'B;\r\nC;\r\n');
  write('0001_a.sql', 'A;\n');
  const [a, b] = await readMigrations(folder);
  t.match([a, b], [{ number: 1, name: '0001_a', statements: ['A'] }, { number: 2, statements: ['B', 'C'] }]);
  write('0002_b.sql', 'B;\nC;\n');
  t.equal((await readMigrations(folder))[1]?.checksum, b?.checksum);
  write('0002_b.sql', 'B;\nD;\n');
  t.not((await readMigrations(folder))[1]?.checksum, b?.checksum);
});

t.test('names that would be passed over are refused', async (t) => {
  write('0002_c.sql', 'X;');
  await t.rejects(readMigrations(folder), /number 2 stands twice/);
  rmSync(join(folder, '0002_c.sql'));
  write('3_c.sql', 'X;');
  await t.rejects(readMigrations(folder), /0001_what_it_does/);
});

t.test('the files of the project are well formed', async (t) => {
  const migrations = await readMigrations();
  t.same(migrations.map(({ number }) => number), migrations.map((_, i) => i + 1), 'numbered without a gap');
  // event_clocks holds sets and maxima: the same rows once more change neither
  for (const { name, statements } of migrations)
    for (const statement of statements) t.match(statement, /^CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS |^ALTER TABLE \w+\s+(?:ADD COLUMN IF NOT EXISTS|DROP COLUMN IF EXISTS|MODIFY) |^INSERT INTO event_clocks\s/, `${name}: can be repeated`);
});

t.match(valueBin('v'), /^toInt16\(multiIf\(isNaN\(v\), 32767, v = 0, 0, v > 0, 10000 \+ .*log2\(v\) \* 32.*-\(10000 \+ .*log2\(-v\) \* 32/);
