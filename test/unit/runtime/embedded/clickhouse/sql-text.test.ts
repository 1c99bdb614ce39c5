import t from 'tap';
import { firstKeyword, quoteName, quoteString, shapeOf, tokens } from '../../../../../runtime/embedded/clickhouse/sql-text.js';

t.same([...tokens("a `b``c` 'd\\'e''f' 1.5 -- g\n/* h */ # i\n$x$ ' $x$ (")].map(({ kind, text }) => [kind, text]), [
  ['word', 'a'], ['quoted', 'b``c'], ['string', "d\\'e''f"], ['number', '1.5'], ['string', "$x$ ' $x$"], ['mark', '('],
]);
t.equal(firstKeyword('-- SELECT\n ((/* x */ with'), 'WITH');
t.equal(firstKeyword('  '), '');

t.match(shapeOf("SELECT 'FORMAT JSON', format FROM f(x) FORMAT CSV SETTINGS a = 1;"), { format: 'CSV', several: false, hostFile: false });
t.equal(shapeOf('SELECT format FROM (SELECT 1 FORMAT x)').format, undefined, 'not inside brackets');
t.equal(shapeOf('SELECT 1; -- end').several, false);
t.equal(shapeOf("SELECT ';'; SELECT 2").several, true);
t.equal(shapeOf("SELECT 1 INTO OUTFILE 'x'").hostFile, true);
t.equal(shapeOf("INSERT INTO t FROM INFILE 'x' FORMAT CSV").hostFile, true);
t.same([...shapeOf("SELECT Sum(x), 'file(' FROM `FILE`('a') JOIN url /**/ ('b')").calls], ['sum', 'file', 'url']);

t.equal(quoteString("it's \\ \0"), "'it\\'s \\\\ \\0'");
t.equal(quoteName('a`b'), '`a\\`b`');
