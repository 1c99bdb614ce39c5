import t from 'tap';
import { StreamClock } from '../../../../../stream-processors/features/core/stream-clock.js';

const clockAfter = (times: readonly number[], from = 0): number => {
  const clock = new StreamClock(from);
  for (const time of times) clock.take(time);
  return clock.nowMs;
};
const repeat = (time: number, count: number): number[] => Array.from({ length: count }, () => time);

t.equal(clockAfter(repeat(100, 14)), 0, 'too few to tell');
t.equal(clockAfter(repeat(100, 15)), 100);
t.equal(clockAfter([...repeat(100, 15), 9999]), 100, 'one event ahead moves nothing');
t.equal(clockAfter([...repeat(100, 15), ...repeat(9999, 7)]), 100, 'nor do fewer than half');
t.equal(clockAfter([...repeat(100, 15), ...repeat(9999, 8)]), 9999, 'more than half do');
t.equal(clockAfter([...repeat(100, 15), ...repeat(5, 40)]), 100, 'never back');
t.equal(clockAfter([], 500), 500, 'goes on where it stood');

t.test('an ordered stream is followed with at most fifteen events’ delay', async (t) => {
  const clock = new StreamClock(0);
  for (let i = 1; i <= 1000; i++) {
    clock.take(i * 10);
    if (i > 15) t.ok(clock.nowMs >= (i - 15) * 10 && clock.nowMs <= i * 10);
  }
});
