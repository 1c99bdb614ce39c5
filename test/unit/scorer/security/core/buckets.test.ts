import t from 'tap';
import { Buckets, type BucketOptions } from '../../../../../scorer/security/core/buckets.js';
import { policyItem, retryAfterS, stateItem } from '../../../../../scorer/security/core/rate-headers.js';
import { seeded } from '../../../../support/random.js';

/** The same by a list: newest last, every bucket filled up at each look. */
class Oracle {
  readonly list: { name: string; tokens: number; at: number }[] = [];
  forgotten = 0;
  constructor(private readonly o: BucketOptions) {}
  take(name: string, now: number): { taken: boolean; tokens: number } {
    const full = ({ tokens, at }: { tokens: number; at: number }): number => Math.min(this.o.burst, tokens + (now - at) * this.o.ratePerS / 1000);
    const known = this.list.findIndex((bucket) => bucket.name === name);
    const bucket = known >= 0 ? this.list.splice(known, 1)[0]! : { name, tokens: this.o.burst, at: now };
    if (known < 0 && this.list.length === this.o.bucketsMax && full(this.list.shift()!) < this.o.burst) this.forgotten++;
    const tokens = full(bucket);
    const taken = tokens >= 1;
    this.list.push({ name, tokens: taken ? tokens - 1 : tokens, at: now });
    return { taken, tokens: this.list.at(-1)!.tokens };
  }
}

t.test('a bucket gives its burst at once, then its rate', async (t) => {
  const buckets = new Buckets({ ratePerS: 2, burst: 3, bucketsMax: 10 });
  t.same([0, 0, 0, 0].map((at) => buckets.take('a', at)), [true, true, true, false]);
  t.equal(buckets.waitMs, 500);
  t.equal(retryAfterS(buckets), 1);
  t.same([499, 500, 501].map((at) => buckets.take('a', at)), [false, true, false]);
  t.ok(buckets.take('b', 501), 'another one has its own');
  t.equal(buckets.take('a', 60_000), true);
  t.equal(buckets.remaining, 2, 'never more than the burst');
  t.equal(buckets.fullInMs, 500);
});

t.test('a clock that stands still or goes back gives nothing', async (t) => {
  const buckets = new Buckets({ ratePerS: 1000, burst: 1, bucketsMax: 1 });
  t.ok(buckets.take('a', 1000));
  t.notOk(buckets.take('a', 500));
});

t.test('random histories, against a list', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const options = { ratePerS: 0.5 + random() * 20, burst: 1 + Math.floor(random() * 6), bucketsMax: 1 + Math.floor(random() * 6) };
    const buckets = new Buckets(options);
    const oracle = new Oracle(options);
    let now = 0;
    for (let step = 0; step < 400; step++) {
      now += Math.floor(random() * random() * 600);
      const name = `n${Math.floor(random() * 9)}`;
      const expected = oracle.take(name, now);
      const got = buckets.take(name, now);
      if (got !== expected.taken || buckets.remaining !== Math.floor(expected.tokens) || buckets.forgotten !== oracle.forgotten || buckets.size !== oracle.list.length)
        return void t.fail(`seed ${seed}, step ${step}: ${JSON.stringify({ got, remaining: buckets.remaining, forgotten: buckets.forgotten, size: buckets.size, expected, oracle: oracle.forgotten })}`);
      if (buckets.size > options.bucketsMax) return void t.fail(`seed ${seed}: ${buckets.size} buckets`);
    }
  }
  t.pass('40 histories');
});

t.test('a flood of names is bounded, and takes nothing from one that keeps asking', async (t) => {
  const buckets = new Buckets({ ratePerS: 1, burst: 2, bucketsMax: 100 });
  let taken = 0;
  for (let i = 0; i < 100_000; i++) {
    buckets.take(`address ${i}`, i / 100);
    if (i % 50 === 0 && buckets.take('steady', i / 100)) taken++;
  }
  t.equal(buckets.size, 100);
  t.equal(taken, 2, 'the burst and the second that passed: it was never forgotten');
  t.ok(buckets.forgotten > 99_000);
});

t.test('fields of the draft', async (t) => {
  const options = { ratePerS: 10, burst: 25, bucketsMax: 4 };
  t.equal(policyItem('key', options), '"key";q=25;w=3');
  t.equal(policyItem('key', { ratePerS: 100, burst: 1 }), '"key";q=1;w=1');
  const buckets = new Buckets(options);
  buckets.take('k', 0);
  t.equal(stateItem('key', buckets), '"key";r=24;t=1');
  t.equal(retryAfterS({ waitMs: 2001 }), 3);
});
