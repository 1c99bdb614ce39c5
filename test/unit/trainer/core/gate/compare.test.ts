import t from 'tap';
import { startComparison, type CompareOptions, type Comparison, type GateSample } from '../../../../../trainer/core/gate/compare.js';
import { simulateModels } from '../../../../support/model-pair.js';

const options: CompareOptions = { metric: 'log_loss', level: 0.05, rounds: 1000, seed: 7 };

function compare(sample: GateSample, over: Partial<CompareOptions> = {}): Comparison {
  const run = startComparison(sample, { ...options, ...over });
  while (run.advance(100));
  return run.result();
}

t.test('a model against itself gains nothing, in every draw', async (t) => {
  const { sample } = simulateModels({ seed: 1, customers: 200, rows_each: 4 });
  const { metrics, segments } = compare({ ...sample, champion: sample.candidate });
  for (const { gain } of Object.values(metrics)) t.strictSame(gain, { value: 0, low: 0, high: 0 });
  t.ok(segments.length > 0);
});

t.test('the same seed gives the same figures, however they are cut in pieces; another seed others', async (t) => {
  const { sample } = simulateModels({ seed: 2, customers: 100, rows_each: 5 });
  const run = startComparison(sample, options);
  while (run.advance(7));
  t.strictSame(run.result(), compare(sample));
  t.notSame(compare(sample, { seed: 8 }).metrics.log_loss.gain, compare(sample).metrics.log_loss.gain);
});

t.test('the interval is as wide as customers make it, not rows: rows repeated under the same customer change nothing', async (t) => {
  const { sample } = simulateModels({ seed: 3, customers: 150, rows_each: 1 });
  const four = <T>(values: ArrayLike<T>): T[] => Array.from(values).flatMap((value) => [value, value, value, value]);
  const repeated: GateSample = {
    labels: four(sample.labels), customer: four(sample.customer), candidate: four(sample.candidate), champion: four(sample.champion!), segments: new Map(),
  };
  const once = compare({ ...sample, segments: new Map() }).metrics.log_loss.gain!;
  const often = compare(repeated).metrics.log_loss.gain!;
  t.ok(Math.abs(once.low - often.low) < 1e-9 && Math.abs(once.high - often.high) < 1e-9);
});

t.test('the interval has the width that the central limit theorem gives for means over customers', async (t) => {
  const { sample } = simulateModels({ seed: 4, customers: 800, rows_each: 3 });
  const { gain } = compare({ ...sample, segments: new Map() }, { rounds: 2000 }).metrics.brier;
  const own = new Float64Array(800);
  for (let i = 0; i < sample.labels.length; i++)
    own[sample.customer[i]!]! += ((sample.champion![i]! - sample.labels[i]!) ** 2 - (sample.candidate[i]! - sample.labels[i]!) ** 2) / 3;
  const mean = own.reduce((sum, x) => sum + x, 0) / own.length;
  const deviation = Math.sqrt(own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length);
  const half = 1.6449 * deviation / Math.sqrt(own.length);
  t.ok(Math.abs(gain!.value - mean) < 1e-12);
  t.ok(Math.abs((gain!.high - gain!.low) / (2 * half) - 1) < 0.08, `${gain!.high - gain!.low} against ${2 * half}`);
});

t.test('without a champion there are the candidate’s own intervals', async (t) => {
  const { sample } = simulateModels({ seed: 5, customers: 100, rows_each: 2 });
  const { metrics, calibration } = compare({ ...sample, champion: undefined });
  t.equal(metrics.auc.gain, null);
  t.equal(metrics.auc.champion, null);
  t.equal(calibration.champion, null);
  t.ok(metrics.auc.candidate.low < metrics.auc.candidate.value && metrics.auc.candidate.value < metrics.auc.candidate.high);
});

t.test('small segments, empty samples and single classes have defined results', async (t) => {
  const { sample } = simulateModels({ seed: 6, customers: 60, rows_each: 2 });
  const small = compare({ ...sample, segments: new Map([['tenure=0-30', [0, 1, 2]]]) });
  t.strictSame(small.segments, []);
  const one = compare({ ...sample, labels: sample.labels.length === 0 ? [] : new Float32Array(sample.labels.length), segments: new Map() });
  t.ok(Number.isNaN(one.metrics.auc.candidate.value));
  t.ok(one.metrics.log_loss.candidate.value > 0);
  t.equal(compare({ labels: [], customer: [], candidate: [], champion: [], segments: new Map() }).rows, 0);
});
