import t from 'tap';
import { BUCKETS, chooseSampling, type Bucket } from '../../../../trainer/core/sampling.js';

const buckets = (snapshots: number, moments: number, events = moments): Bucket[] =>
  Array.from({ length: BUCKETS }, (_, bucket) => ({ bucket, snapshots, moments, events }));

t.test('all of a small history is taken at once', async (t) => {
  t.same(chooseSampling(buckets(10, 5), 100_000), { buckets: BUCKETS, events_ppm: 1_000_000, shards: 1 });
  t.same(chooseSampling([], 1000), { buckets: BUCKETS, events_ppm: 0, shards: 1 }, 'nothing');
});

t.test('moments of events are thinned to as many as snapshots', async (t) => {
  t.equal(chooseSampling(buckets(10, 40), 100_000).events_ppm, 250_000);
  t.equal(chooseSampling(buckets(10, 0), 100_000).events_ppm, 0);
});

t.test('beyond the most rows only the first buckets are taken, at least one', async (t) => {
  const { buckets: taken } = chooseSampling(buckets(500, 500), 100_500);
  t.equal(taken, 100);
  t.equal(chooseSampling(buckets(5000, 0), 1000).buckets, 1);
  const sparse = buckets(500, 0).filter(({ bucket }) => bucket % 4 === 3);
  t.equal(chooseSampling(sparse, 1000).buckets, 11, 'buckets without customers are no rows: 3 and 7 are in, 11 is not');
});

t.test('queries are divided by rows and by events', async (t) => {
  t.equal(chooseSampling(buckets(200, 0), 1_000_000).shards, Math.ceil((200 * BUCKETS) / 50_000));
  t.equal(chooseSampling(buckets(1, 0, 10_000), 1_000_000).shards, 11);
});
