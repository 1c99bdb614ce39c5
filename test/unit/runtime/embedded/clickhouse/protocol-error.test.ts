import t from 'tap';
import { answerFor } from '../../../../../runtime/embedded/clickhouse/protocol-error.js';

const answer = (message: string) => answerFor(new Error(message), '26.7.2.1');

t.same(answer('Query failed: Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE)'),
  { status: 404, code: 60, text: 'Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n' });
t.equal(answer('Code: 27. DB::Exception: Cannot parse: (at row 2)\n: (in file/uri /data/incoming/insert-1): While executing JSONEachRow: While executing File: data for INSERT was parsed from file. (X)').text,
  'Code: 27. DB::Exception: Cannot parse: (at row 2)\n: While executing JSONEachRow. (X) (version 26.7.2.1)\n', 'the server’s own file is left out');
t.match(answer('Code: 62. DB::Exception: bad. (SYNTAX_ERROR)'), { status: 400, code: 62 });
t.match(answer('Code: 241. DB::Exception: memory. (MEMORY_LIMIT_EXCEEDED)'), { status: 500, code: 241 });
t.match(answer('out of something'), { status: 500, code: 1002, text: /out of something/ });
