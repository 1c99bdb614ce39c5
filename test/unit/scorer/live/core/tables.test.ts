import t from 'tap';
import { createConflation, type WaitingBudget } from '../../../../../scorer/live/core/conflation.js';
import { createCrossingWatch } from '../../../../../scorer/live/core/crossing.js';
import { EVERYTHING, fits, segmentsOf, spread, type Facts } from '../../../../../scorer/live/core/filter.js';
import { positionOf, positionText } from '../../../../../scorer/live/core/position.js';
import { createRing } from '../../../../../scorer/live/core/ring.js';
import { createSeats } from '../../../../../scorer/live/core/seats.js';
import { createStandings } from '../../../../../scorer/live/core/standings.js';
import { seeded, seedOf, type Random } from '../../../../support/random.js';

const seededTest = (t: { comment(text: string): void }, preset: number): Random => {
  const random = seeded(seedOf(preset));
  t.comment(`TEST_SEED=${random.seed}`);
  return random;
};
const budget = (bytesMax = Number.MAX_SAFE_INTEGER): WaitingBudget => ({ bytes: 0, dropped: 0, bytesMax });

t.test('filter: every condition that is given holds', async (t) => {
  const facts: Facts = { customerId: 'C1', predictionId: '0-1', modelVersion: 'v2', score: 0.8, ...segmentsOf('web', 45) };
  t.match(facts, { channel: 'channel=web', tenure: 'tenure=30-90' });
  t.match(segmentsOf('', Number.NaN), { channel: 'channel=', tenure: '' });
  const set = (...values: string[]): ReadonlySet<string> => new Set(values);
  const cases: [string, Partial<typeof EVERYTHING>, boolean][] = [
    ['everything', {}, true],
    ['at the threshold', { threshold: 0.8 }, true],
    ['under the threshold', { threshold: 0.81 }, false],
    ['a customer', { customers: set('C1', 'C2') }, true],
    ['another customer', { customers: set('C2') }, false],
    ['a channel among several', { channels: set('channel=app', 'channel=web') }, true],
    ['another channel', { channels: set('channel=app') }, false],
    ['a tenure band', { tenures: set('tenure=30-90') }, true],
    ['channel and another tenure band', { channels: set('channel=web'), tenures: set('tenure=0-30') }, false],
    ['a model version', { modelVersions: set('v1', 'v2') }, true],
    ['another model version', { modelVersions: set('v1') }, false],
    ['all of them', { customers: set('C1'), channels: set('channel=web'), tenures: set('tenure=30-90'), modelVersions: set('v2'), threshold: 0.5 }, true],
    ['all of them but one', { customers: set('C1'), channels: set('channel=web'), tenures: set('tenure=30-90'), modelVersions: set('v2'), threshold: 0.9 }, false],
  ];
  for (const [name, filter, expected] of cases) t.equal(fits({ ...EVERYTHING, ...filter }, facts), expected, name);
  for (const sample of [0.1, 0.5]) {
    let taken = 0;
    for (let i = 0; i < 20_000; i++) if (fits({ ...EVERYTHING, sample }, { ...facts, predictionId: `${i % 4}-${i}` })) taken++;
    t.ok(Math.abs(taken / 20_000 - sample) < 0.01, `sample ${sample}: ${taken / 20_000}`);
  }
  t.ok(spread('0-0') >= 0 && spread('0-0') < 1);
});

t.test('crossing: up at one level, down below another', async (t) => {
  const watch = createCrossingWatch({ up: 0.8, down: 0.7 }, 10);
  const steps: [number, ReturnType<typeof watch.step>][] = [
    [0.75, undefined], [0.8, 'up'], [0.9, undefined], [0.75, undefined], [0.8, undefined], [0.7, undefined], [0.69, 'down'], [0.75, undefined], [0.69, undefined], [1, 'up'], [0, 'down'],
  ];
  let previous: number | undefined;
  for (const [score, expected] of steps) {
    t.equal(watch.step('a', previous, score), expected, `to ${score}`);
    previous = score;
  }
  t.equal(watch.remembered, 0);
  t.equal(watch.step('b', undefined, 0.9), 'up', 'a first score above is a crossing');
  watch.step('b', 0.9, 0.75);
  t.ok(watch.isAbove('b', 0.75));
  watch.forget('b');
  t.notOk(watch.isAbove('b', 0.75), 'between the levels without a past counts as below');
  const few = createCrossingWatch({ up: 0.8, down: 0.7 }, 2);
  for (const id of ['x', 'y', 'z']) few.step(id, 0.9, 0.75);
  t.strictSame([few.isAbove('x', 0.75), few.isAbove('y', 0.75), few.remembered], [false, true, 2], 'a bound on what is remembered');
  const plain = createCrossingWatch({ up: 0.5, down: 0.5 }, 0);
  t.strictSame([plain.step('a', 0.4, 0.5), plain.step('a', 0.5, 0.5), plain.step('a', 0.5, 0.49)], ['up', undefined, 'down'], 'without hysteresis nothing is remembered');
});

t.test('crossing against every customer’s side written down', async (t) => {
  const random = seededTest(t, 501);
  for (let round = 0; round < 50; round++) {
    const up = random.below(11) / 10;
    const levels = { up, down: up - random.below(4) / 10 };
    const watch = createCrossingWatch(levels, 1000);
    const sides = new Map<string, 'above' | 'below'>();
    const last = new Map<string, number>();
    const wrong: unknown[] = [];
    for (let i = 0; i < 400; i++) {
      const id = `c${random.below(8)}`;
      const score = random.below(21) / 20;
      const before = sides.get(id) ?? 'below';
      const now = score >= levels.up ? 'above' : score < levels.down ? 'below' : before;
      const expected = now === before ? undefined : now === 'above' ? 'up' : 'down';
      if (watch.step(id, last.get(id), score) !== expected || watch.isAbove(id, score) !== (now === 'above')) wrong.push([i, id, score]);
      sides.set(id, now);
      last.set(id, score);
    }
    t.same(wrong, [], `levels ${JSON.stringify(levels)}`);
  }
});

t.test('conflation: latest per customer, within bytes, counted', async (t) => {
  const all = budget();
  const waiting = createConflation<string>(20, all);
  waiting.add('a', 'a1', 10);
  waiting.add('b', 'b1', 10);
  waiting.add('a', 'a2', 10);
  t.equal(waiting.takeDropped(), 1, 'a1 was replaced');
  waiting.add('c', 'c1', 1);
  t.strictSame([waiting.size, waiting.bytes, waiting.has('b')], [2, 11, false]);
  t.equal(waiting.takeDropped(), 1, 'b, the oldest, was put out');
  waiting.add('d', 'd1', 21);
  t.equal(waiting.takeDropped(), 3, 'one that alone is too large goes too');
  waiting.add('e', 'e1', 5);
  const other = createConflation<string>(20, all);
  other.add('f', 'f1', 6);
  t.strictSame([waiting.next(), waiting.next(), all.bytes, all.dropped], ['e1', undefined, 6, 5]);
  other.clear();
  t.strictSame([other.takeDropped(), all.bytes, all.dropped], [1, 0, 6]);

  const little = budget(10);
  const one = createConflation<string>(100, little);
  const two = createConflation<string>(100, little);
  one.add('a', 'a', 8);
  two.add('b', 'b', 2);
  two.add('c', 'c', 2);
  t.strictSame([one.size, two.size, two.takeDropped(), little.bytes], [1, 1, 1, 10], 'what all queues may hold together stands as well');
});

t.test('conflation against a list', async (t) => {
  const random = seededTest(t, 502);
  for (let round = 0; round < 100; round++) {
    const bytesMax = 10 + random.below(60);
    const all = budget();
    const waiting = createConflation<number>(bytesMax, all);
    let list: { id: string; n: number; bytes: number }[] = [];
    let dropped = 0;
    for (let n = 0; n < 200; n++) {
      const id = `c${random.below(10)}`;
      const bytes = 1 + random.below(15);
      if (random.chance(0.3)) {
        const first = list.shift();
        if (waiting.next() !== first?.n) t.fail('next');
        continue;
      }
      waiting.add(id, n, bytes);
      const kept = list.filter((entry) => entry.id !== id);
      dropped += list.length - kept.length;
      list = [...kept, { id, n, bytes }];
      while (list.reduce((sum, entry) => sum + entry.bytes, 0) > bytesMax) {
        list.shift();
        dropped++;
      }
      if (waiting.bytes > bytesMax) t.fail('beyond the bound');
    }
    const rest: (number | undefined)[] = [];
    for (let message = waiting.next(); message !== undefined; message = waiting.next()) rest.push(message);
    t.strictSame([rest, waiting.takeDropped(), all.bytes, all.dropped], [list.map(({ n }) => n), dropped, 0, dropped]);
  }
});

t.test('standings against all customers sorted', async (t) => {
  const random = seededTest(t, 503);
  for (let round = 0; round < 40; round++) {
    const standings = createStandings(20);
    const scores = new Map<string, number>();
    /** Scored since the bar was last taken away. */
    let known = new Set<string>();
    const drift = random() - 0.5;
    for (let i = 0; i < 600; i++) {
      const id = `c${random.below(100)}`;
      const bar = standings.bar;
      if (random.chance(0.02)) {
        standings.remove(id);
        scores.delete(id);
      } else {
        const score = 0.25 + random() / 2 + (drift * i) / 1200;
        standings.set(id, score);
        scores.set(id, score);
      }
      known = standings.bar < bar ? new Set(standings.ranked()) : known.add(id);
      const ranked = standings.ranked();
      const above = [...known].filter((one) => (scores.get(one) ?? -1) > standings.bar).sort((a, b) => scores.get(b)! - scores.get(a)!);
      if (standings.size > 20) t.fail(`${standings.size} are held`);
      if (ranked.slice(0, above.length).join() !== above.join()) t.fail(`step ${i}: ${ranked.join()} instead of ${above.join()}`);
    }
    t.ok(standings.size > 0, `bar ${standings.bar}`);
  }
  const same = createStandings(10);
  for (let i = 0; i < 30; i++) same.set(`c${i}`, 0.5);
  t.ok(same.size >= 5, 'all of one score: some of them');
  for (let i = 0; i < 30; i++) same.set(`c${i}`, 0.4);
  t.ok(same.size >= 5, 'all fell: the bar fell with them');
});

t.test('ring: what follows a number, while it is all there', async (t) => {
  const random = seededTest(t, 504);
  for (const bytesMax of [0, 30, 5000]) {
    const ring = createRing<number>(bytesMax);
    const all: { n: number; bytes: number }[] = [];
    for (let n = 1; n <= 6000; n++) {
      const bytes = 1 + random.below(9);
      ring.push(n, bytes);
      all.push({ n, bytes });
      if (ring.bytes > bytesMax) t.fail('beyond the bound');
      if (n % 500 !== 0) continue;
      let sum = 0;
      const held = [...all].reverse().filter((item) => (sum += item.bytes) <= bytesMax).length;
      for (const since of [n, n - 1, n - held, n - held - 1, 0, n + 1]) {
        const expected = since <= n && since >= n - held;
        if (ring.holdsAfter(since) !== expected) t.fail(`${since} of ${n}, ${held} held`);
        if (expected && [...ring.after(since)].join() !== all.slice(since).map((item) => item.n).join()) t.fail(`after ${since}`);
      }
    }
    t.equal(ring.last, 6000);
  }
});

t.test('seats and positions', async (t) => {
  const seats = createSeats(3, 2);
  t.strictSame([seats.take('a'), seats.take('a'), seats.take('a'), seats.take('b'), seats.take('b')], [undefined, undefined, 'identity', undefined, 'all']);
  seats.free('a');
  seats.free('nobody');
  t.strictSame([seats.taken, seats.take('b'), seats.take('a')], [2, undefined, 'all']);

  t.equal(positionOf(positionText('run1', 12), 'run1'), 12);
  for (const text of ['run2-12', 'run1-', 'run1-012', 'run1-1.5', 'run1--1', '', 'run1-99999999999999999999']) t.equal(positionOf(text, 'run1'), undefined, text);
});
