import t from 'tap';
import { isDue, isLive, sweepClock } from '../../../../../stream-processors/features/core/sweep-due.js';

const H = 3_600_000;
const S = 24 * H;
for (const [last, clock, former, due, why] of [
  [0, 23 * H, 0, false, 'not silent long enough'],
  [0, 24 * H, 0, true, 'a whole silence, first pass'],
  [0, 30 * H, 24 * H, false, 'refreshed in the pass before'],
  [0, 48 * H, 30 * H, true, 'the second silence'],
  [0, 500 * H, 30 * H, true, 'passes were missed: one refresh, not twenty'],
  [40 * H, 50 * H, 30 * H, false, 'heard of since the last pass'],
  [10 * H, 40 * H, 5 * H, true, 'last pass was before its event'],
] as const) t.equal(isDue(last, clock, former, S), due, why);

t.test('over any sequence of passes a customer is refreshed once a silence at the most', async (t) => {
  for (const step of [1, 5, 7, 24, 31, 100]) {
    let refreshed = 0;
    for (let clock = step * H, former = 0; clock <= 1000 * H; former = clock, clock += step * H) if (isDue(0, clock, former, S)) refreshed++;
    t.equal(refreshed, step <= 24 ? Math.floor((Math.floor(1000 / step) * step) / 24) : Math.floor(1000 / step), `passes every ${step} h`);
  }
});

t.equal(sweepClock(true, 100, 10_000), 10_000, 'live: the wall clock');
t.equal(sweepClock(true, 20_000, 10_000), 20_000, 'live and ahead of the wall: not back in time');
t.equal(sweepClock(false, 100, 10_000), 100, 'a replay: the time of the stream');

const NOW = 1e12;
for (const [was, event, stream, live, why] of [
  [false, NOW - H, NOW - H, true, 'events of the present'],
  [false, NOW, NOW - 900 * S, false, 'one event of today on a stream of years ago'],
  [true, NOW, NOW - 5 * S, true, 'the first event after a silence of days'],
  [true, NOW - 900 * S, NOW - 900 * S, false, 'a replay begins'],
  [true, NOW - 3 * S, NOW, true, 'one late event'],
  [false, NOW - 900 * S, NOW - 900 * S, false, 'a replay goes on'],
] as const) t.equal(isLive(was, NOW, event, stream), live, why);
