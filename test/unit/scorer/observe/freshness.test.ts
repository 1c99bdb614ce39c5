import t from 'tap';
import { createFreshness } from '../../../../scorer/observe/freshness.js';

t.test('a partition is as current as its last record, or as the last fetch that brought nothing', async (t) => {
  const freshness = createFreshness();
  t.equal(freshness.of(0), undefined);
  t.equal(freshness.worst(5000), undefined);
  freshness.committed(0, [{ featuresAt: 900 }, { featuresAt: 1000 }]);
  freshness.committed(1, []);
  t.equal(freshness.of(0), 1000);
  t.equal(freshness.of(1), undefined);
  freshness.caughtUp([{ partition: 0, lag: 3, open: true }, { partition: 1, lag: 0, open: true }, { partition: 2, lag: 0, open: false }], 4000);
  t.equal(freshness.of(0), 1000, 'it has a lag');
  t.equal(freshness.of(1), 4000);
  t.equal(freshness.of(2), undefined, 'it is being restored');
  freshness.committed(1, [{ featuresAt: 3000 }]);
  t.equal(freshness.of(1), 4000, 'time does not go back');
  t.equal(freshness.worst(5999), 4);
});
