import t from 'tap';
import { calibrationError, reliability } from '../../../../trainer/core/reliability.js';
import { random } from '../../../support/random.js';

t.test('bins of equal width, empty ones left out, 1 in the last', async (t) => {
  t.same(reliability([0, 1, 1, 0], [0.02, 0.08, 1, 0.95]), [
    { mean_score: 0.05, churn_rate: 0.5, rows: 2 },
    { mean_score: 0.975, churn_rate: 0.5, rows: 2 },
  ]);
  t.ok(Number.isNaN(calibrationError([], [])));
});

t.test('the calibration error is what each bin is off by, weighted by rows', async (t) => {
  t.ok(Math.abs(calibrationError([0, 1, 1, 0], [0.02, 0.08, 1, 0.95]) - (0.5 * 0.45 + 0.5 * 0.475)) < 1e-12);
  const seed = 3;
  const next = random(seed);
  const scores = Array.from({ length: 40_000 }, () => next());
  t.ok(calibrationError(scores.map((p) => (next() < p ? 1 : 0)), scores) < 0.02, `seed ${seed}: true probabilities are calibrated`);
  t.ok(calibrationError(scores.map((p) => (next() < p * p ? 1 : 0)), scores) > 0.1, `seed ${seed}: others are not`);
});
