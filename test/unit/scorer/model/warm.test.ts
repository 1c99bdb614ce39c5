import t from 'tap';
import { measureRowCosts } from '../../../../scorer/model/warm.js';

t.test('what a lone row costs is measured when the session is warm', async (t) => {
  let ms = 0;
  let scored = 0;
  const session = {
    featureCount: 2, runtime: 'test', release: () => undefined,
    score(_matrix: Float32Array, rows: number) {
      // A call costs 3 µs, a row 2; before the code is compiled it is forty times as much.
      ms += ((3 + 2 * rows) * (scored < 5000 ? 40 : 1)) / 1000;
      scored += rows;
    },
  };
  const costs = await measureRowCosts(session, [[1, 2]], () => ms);
  t.same(costs.map(({ rows }) => rows), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], 'by size');
  t.equal(costs[0]!.us_per_row.toFixed(6), '5.000000');
  t.equal(costs[5]!.us_per_row.toFixed(6), (2 + 3 / 32).toFixed(6));
});
