import t from 'tap';
import { createPace } from '../../../../../stream-processors/sources/core/pace.js';

const DAY_MS = 86_400_000;

t.test('by rate, by acceleration, by the slower of the two', async (t) => {
  const byRate = createPace({ rate: 100 });
  t.same([byRate(500, 0, 1000), byRate(501, 9 * DAY_MS, 1000), byRate(600, 9 * DAY_MS, 1000)], [1000, 1010, 2000]);
  const byTime = createPace({ acceleration: DAY_MS / 1000 });
  t.same([byTime(0, DAY_MS, 0), byTime(1, 2 * DAY_MS, 0), byTime(999, 2.5 * DAY_MS, 0)], [0, 1000, 1500]);
  const both = createPace({ rate: 1, acceleration: DAY_MS / 1000 });
  t.same([both(0, 0, 0), both(1, 5 * DAY_MS, 0), both(9, 5 * DAY_MS, 0)], [0, 5000, 9000]);
  t.equal(createPace({})(1, 1, 1), -Infinity, 'without a bound at once');
});

t.test('what a slow moment held up is made up for, what a pause held up is not', async (t) => {
  const due = createPace({ rate: 10 });
  t.equal(due(0, 0, 0), 0);
  t.equal(due(10, 0, 2500), 1000, '1.5 s late');
  t.equal(due(20, 0, 2500), 2000, 'and so are those after it');
  t.equal(due(30, 0, 60_000), 3000, 'a minute later');
  t.equal(due(31, 0, 60_000), 60_100, 'the pace goes on from there');
});
