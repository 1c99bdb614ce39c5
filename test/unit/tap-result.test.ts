import t from 'tap';
import { failedPoints, readTap } from '../support/tap-result.js';

const TAP = `TAP version 14
# Subtest: sums
    ok 1 - one and one
    not ok 2 - two and two
      ---
      diff: |
        -4
        +5
      ...
    1..2
not ok 1 - sums # time=2ms
  ---
  at: test.ts
  ...
ok 2 - differences
ok 3 - products # SKIP no factors
not ok 4 - quotients # ${'TO'}DO some day
1..4
`;

t.test('the points of a file are counted', async (t) => {
  t.same(readTap(TAP), { passed: 2, failed: 1, skipped: ['products # SKIP no factors'] });
  t.same(readTap('1..0 # SKIP no broker\n'), { passed: 0, failed: 0, skipped: ['no broker'] });
  t.same(readTap('ok 1\nBail out! # the end\n'), { passed: 1, failed: 1, skipped: [] });
});

t.test('what failed is summed up: the point and the beginning of what is said of it', async (t) => {
  t.same(failedPoints(TAP).map((line) => line.trim()), ['not ok 2 - two and two', '---', 'diff: |', '-4', '+5', 'not ok 1 - sums # time=2ms', '---', 'at: test.ts']);
  t.same(failedPoints('ok 1 - fine\n'), []);
  t.equal(failedPoints(`not ok 1 - long\n${'  line\n'.repeat(100)}ok 2\n`).length, 26);
});
