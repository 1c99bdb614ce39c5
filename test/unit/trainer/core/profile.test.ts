import t from 'tap';
import { binOf, MISSING_BIN } from '../../../../schemas/drift/bins.js';
import { profileOf, type ProfiledRows } from '../../../../trainer/core/profile.js';
import { random } from '../../../support/random.js';

const seed = 41;
const next = random(seed);
const feature_names = ['tenure_days', 'events_24h', 'spend_7d'];
const drawn = (rows: number): ProfiledRows => ({
  feature_names, rows, on_event: Uint8Array.from({ length: rows }, () => (next() < 0.4 ? 1 : 0)),
  values: Float32Array.from({ length: rows * 3 }, (_, i) => (i % 3 === 0 ? next() * 400 : i % 3 === 1 ? Math.floor(next() * 3) : next() < 0.2 ? NaN : (next() - 0.3) * 100)),
});

t.test('every segment is the histogram of its own rows', async (t) => {
  const [train, holdout] = [drawn(800), drawn(300)];
  const scores = Float32Array.from({ length: 300 }, () => next());
  const profile = profileOf(train, holdout, scores);
  const of = (rows: ProfiledRows, row: number, column: number): number => rows.values[row * 3 + column]!;
  const segments: Record<string, (rows: ProfiledRows, row: number) => boolean> = {
    '': () => true,
    'tenure=30-90': (rows, row) => of(rows, row, 0) >= 30 && of(rows, row, 0) < 90,
    'trigger=event': (rows, row) => rows.on_event[row] === 1,
    'trigger=sweep': (rows, row) => rows.on_event[row] === 0 && of(rows, row, 1) === 0,
    'tenure=365+,trigger=sweep': (rows, row) => of(rows, row, 0) >= 365 && rows.on_event[row] === 0 && of(rows, row, 1) === 0,
  };
  for (const [segment, is] of Object.entries(segments))
    for (const feature of [...feature_names, 'score']) {
      const from = feature === 'score' ? holdout : train;
      const values = [...Array(from.rows).keys()].filter((row) => is(from, row)).map((row) => (feature === 'score' ? scores[row]! : of(from, row, feature_names.indexOf(feature))));
      const known = values.filter((value) => !Number.isNaN(value));
      const found = profile.find((one) => one.segment === segment && one.feature === feature)!;
      const counts = new Map<number, number>();
      for (const value of values) counts.set(binOf(value), (counts.get(binOf(value)) ?? 0) + 1);
      t.same(found.bins, [...counts.keys()].sort((a, b) => a - b), `seed ${seed}, ${feature} ${segment}`);
      t.same(found.rows, found.bins.map((bin) => counts.get(bin)));
      t.ok(Math.abs(found.total - known.reduce((sum, value) => sum + value, 0)) <= 1e-6 * Math.abs(found.squares));
      t.same([found.low, found.high], [Math.min(...known), Math.max(...known)]);
    }
  t.equal(profile.length, 4 * 3 * 6, 'four columns in all rows and five bands, each whole, after events and in silence');
});

t.test('a feature that is always missing has no extremes, and a view without tenure no bands', async (t) => {
  const rows: ProfiledRows = { feature_names: ['x'], rows: 3, values: Float32Array.of(NaN, NaN, NaN), on_event: Uint8Array.of(0, 1, 0) };
  const profile = profileOf(rows, rows, [0.1, 0.2, 0.3]);
  t.same([...new Set(profile.map(({ segment }) => segment))], ['', 'trigger=event', 'trigger=sweep']);
  t.same(profile.find(({ feature, segment }) => feature === 'x' && segment === ''), { feature: 'x', segment: '', bins: [MISSING_BIN], rows: [3], total: 0, squares: 0, low: 0, high: 0 });
});
