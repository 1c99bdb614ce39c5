import t from 'tap';
import { createJumps, type Jump } from '../../../../../scorer/page/core/jumps.js';
import { random as draw } from '../../../../support/random.js';

const OPTIONS = { most: 5, window_ms: 1000, rise_min: 0.05 };
const jump = (customerId: string, at: number, from: number, to: number): Jump<string> => ({ customerId, at, from, to, before: `${from}`, after: `${to}` });

t.test('the largest rises, one a customer', async (t) => {
  const jumps = createJumps<string>(OPTIONS);
  for (let i = 1; i <= 8; i++) jumps.offer(jump(`C${i}`, i, 0.1, 0.1 + i / 10));
  t.same(jumps.list(10).map(({ customerId }) => customerId), ['C8', 'C7', 'C6', 'C5', 'C4']);
  t.notOk(jumps.concerns('C1', 0.39), 'a score below the smallest rise cannot have risen by more');
  t.ok(jumps.concerns('C1', 0.41));
  t.ok(jumps.concerns('C8', 0), 'one on the list is looked at whatever its score');
});

t.test('a rise that goes on counts from where it began, one taken back leaves', async (t) => {
  const jumps = createJumps<string>(OPTIONS);
  jumps.offer(jump('A', 1, 0.2, 0.4));
  jumps.offer(jump('A', 2, 0.4, 0.7));
  t.match(jumps.list(3), [{ from: 0.2, to: 0.7, at: 2, before: '0.2', after: '0.7' }]);
  jumps.offer(jump('A', 3, 0.7, 0.6));
  t.match(jumps.list(4), [{ from: 0.2, to: 0.6, at: 2 }], 'a small step back is no news');
  jumps.offer(jump('A', 4, 0.6, 0.22));
  t.same(jumps.list(5), []);
});

t.test('a rise is forgotten after the window', async (t) => {
  const jumps = createJumps<string>(OPTIONS);
  jumps.offer(jump('A', 0, 0.1, 0.9));
  t.equal(jumps.list(1000).length, 1);
  t.equal(jumps.list(1001).length, 0);
  t.ok(jumps.concerns('B', 0.06), 'its place is free again');
});

t.test('random histories: what was passed over by `concerns` would not have been listed', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = draw(seed);
    const asked = createJumps<string>({ ...OPTIONS, window_ms: 1e9 });
    const all = createJumps<string>({ ...OPTIONS, window_ms: 1e9 });
    const scores = new Map<string, number>();
    for (let at = 0; at < 300; at++) {
      const id = `C${Math.floor(random() * 20)}`;
      const [from, to] = [scores.get(id) ?? random(), random()];
      scores.set(id, to);
      if (asked.concerns(id, to)) asked.offer(jump(id, at, from, to));
      all.offer(jump(id, at, from, to));
    }
    t.same(asked.list(300), all.list(300), `seed ${seed}`);
  }
});
