import t from 'tap';
import { calibrate, calibrateAll, chooseCalibration, fitIsotonic, fitPlatt, logitOf, type OutOfFold } from '../../../../trainer/core/calibration.js';
import { logLoss } from '../../../../trainer/core/metrics.js';
import { calibrationError } from '../../../../trainer/core/reliability.js';
import { random } from '../../../support/random.js';

const SEED = 23;
/** Scores whose true probability is `truth` of them. */
function drawn(seed: number, rows: number, truth: (score: number) => number): { labels: number[]; scores: number[] } {
  const next = random(seed);
  const scores = Array.from({ length: rows }, () => 0.02 + 0.96 * next());
  return { scores, labels: scores.map((score) => (next() < truth(score) ? 1 : 0)) };
}
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const overconfident = (score: number): number => sigmoid(0.4 * logitOf(score) + 0.5);

t.test('Platt finds the line in the log-odds', async (t) => {
  const found = fitPlatt(drawn(SEED, 60_000, overconfident));
  t.equal(found.method, 'platt');
  if (found.method !== 'platt') return;
  t.ok(Math.abs(found.slope - 0.4) < 0.02, `slope ${found.slope}`);
  t.ok(Math.abs(found.shift - 0.5) < 0.03, `shift ${found.shift}`);
  t.same(fitPlatt(drawn(SEED, 5000, (score) => 1 - score)), { method: 'none' }, 'what ranks the wrong way round is not turned over');
});

t.test('isotonic rises, stays within 0 and 1, has no steep step, and follows the truth', async (t) => {
  for (const [i, truth] of [overconfident, (p: number) => p * p, (p: number) => (p < 0.5 ? 0.2 : 0.7), () => 0.3].entries()) {
    const data = drawn(SEED + i, 20_000, truth);
    const found = fitIsotonic(data);
    if (found.method !== 'isotonic') { t.equal(i, 3, 'only a constant has nothing to join'); continue; }
    t.ok(found.scores.length <= 20 && found.scores.every((score, k) => k === 0 || score > found.scores[k - 1]!));
    let before = calibrate(found, 0);
    for (let p = 0; p <= 1.0001; p += 0.001) {
      const value = calibrate(found, p);
      if (value < before || value > 1 || value - before > 0.0101) t.fail(`truth ${i}: ${value} after ${before} at ${p}`);
      before = value;
    }
    t.ok(calibrationError(data.labels, calibrateAll(found, data.scores)) < 0.03, `truth ${i}`);
    t.ok(found.rates.every((rate) => rate > 0 && rate < 1), 'never certain');
  }
});

const folds = (truth: (score: number) => number, rows: number, seed = SEED): OutOfFold[] =>
  [0, 1, 2].map((window) => ({ window, group: window, ...drawn(seed + window, rows, truth) }));

t.test('chosen only where it lowers the error on rows that it was not fitted on', async (t) => {
  const off = chooseCalibration(folds(overconfident, 4000));
  t.not(off.calibration.method, 'none');
  const chosen = off.compared.find(({ method }) => method === off.calibration.method)!;
  t.ok(chosen.calibration_error < off.compared[0]!.calibration_error - 0.05);
  const unseen = drawn(SEED + 50, 20_000, overconfident);
  t.ok(calibrationError(unseen.labels, calibrateAll(off.calibration, unseen.scores)) < calibrationError(unseen.labels, unseen.scores) / 3, 'on rows never seen');
  t.ok(logLoss(unseen.labels, calibrateAll(off.calibration, unseen.scores)) < logLoss(unseen.labels, unseen.scores));

  t.equal(chooseCalibration(folds((score) => score, 4000)).calibration.method, 'none', 'what is calibrated stays');
  t.equal(chooseCalibration(folds(overconfident, 60)).calibration.method, 'none', 'too few rows to say');
  t.equal(chooseCalibration([]).calibration.method, 'none');
  t.equal(chooseCalibration(folds(overconfident, 4000).slice(0, 1)).calibration.method, 'none', 'no other fold to fit on');
});

t.test('a curve that no line in the log-odds follows takes the isotonic one', async (t) => {
  const { calibration } = chooseCalibration(folds((score) => (score < 0.35 ? 0.1 : score < 0.65 ? 0.5 : 0.6), 8000));
  t.equal(calibration.method, 'isotonic');
});
