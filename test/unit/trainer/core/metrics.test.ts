import t from 'tap';
import { averagePrecision, evaluate, rocAuc } from '../../../../trainer/core/metrics.js';
import { random } from '../../../support/random.js';

/** Expected values: scikit-learn 1.9.1 (roc_auc_score, average_precision_score, log_loss, brier_score_loss). */
const CASES = {
  distinct: { labels: [0, 0, 1, 1, 0, 1, 1, 0], scores: [0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.65, 0.5], expected: { auc: 0.875, pr_auc: 0.9166666666666666, log_loss: 0.4176982473576425, brier: 0.13187500000000002 } },
  ties: { labels: [0, 1, 1, 0, 1, 0, 1, 0, 1, 1], scores: [0.5, 0.5, 0.5, 0.2, 0.2, 0.9, 0.9, 0.9, 0.1, 0.7], expected: { auc: 0.35416666666666663, pr_auc: 0.521957671957672, log_loss: 1.128181374400684, brier: 0.396 } },
  perfect: { labels: [0, 0, 1, 1], scores: [0.1, 0.2, 0.8, 0.9], expected: { auc: 1, pr_auc: 1, log_loss: 0.16425203348601802, brier: 0.02499999999999999 } },
  inverted: { labels: [1, 1, 0, 0], scores: [0.1, 0.2, 0.8, 0.9], expected: { auc: 0, pr_auc: 0.41666666666666663, log_loss: 1.956011502714073, brier: 0.7250000000000001 } },
  constant: { labels: [0, 1, 1, 0, 1], scores: [0.3, 0.3, 0.3, 0.3, 0.3], expected: { auc: 0.5, pr_auc: 0.6, log_loss: 0.8650536601710547, brier: 0.32999999999999996 } },
  extreme: { labels: [0, 1, 1, 0], scores: [0, 1, 0, 0.25], expected: { auc: 0.625, pr_auc: 0.75, log_loss: 9.082833865392233, brier: 0.265625 } },
  forty: {
    labels: [1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1],
    scores: [0.83, 0.66, 0.68, 0.82, 0.43, 0.76, 0.88, 0.1, 0.85, 0.39, 0.48, 0.15, 0.7, 0.29, 0.87, 0.28, 0.56, 0.4, 0.61, 0.2, 0.18, 0.75, 0.75, 0.57, 0.92, 0.21, 0.85, 0.17, 0.96, 0.62, 0.61, 0.97, 0.79, 0.79, 0.05, 0.37, 0.08, 0.19, 0.21, 0.86],
    expected: { auc: 0.4482758620689655, pr_auc: 0.721513616800117, log_loss: 0.9337530180953711, brier: 0.329145 },
  },
} as const;

for (const [name, { labels, scores, expected }] of Object.entries(CASES))
  t.test(`metrics as scikit-learn has them: ${name}`, async (t) => {
    const got = evaluate(labels, scores);
    for (const [metric, value] of Object.entries(expected)) {
      const difference = Math.abs(got[metric as keyof typeof got] - value);
      t.ok(difference < 1e-12, `${metric}: got ${got[metric as keyof typeof got]}, expected ${value}`);
    }
  });

t.test('the area under the ROC curve is the share of pairs in order, on random scores with ties', async (t) => {
  const seed = 11;
  const next = random(seed);
  for (let round = 0; round < 50; round++) {
    const length = 2 + Math.floor(next() * 60);
    const labels = Array.from({ length }, () => (next() < 0.4 ? 1 : 0));
    const scores = Array.from({ length }, () => Math.floor(next() * 8) / 8);
    let won = 0;
    let pairs = 0;
    for (const [i, li] of labels.entries())
      for (const [j, lj] of labels.entries())
        if (li === 1 && lj === 0) {
          pairs++;
          won += scores[i]! > scores[j]! ? 1 : scores[i] === scores[j] ? 0.5 : 0;
        }
    const got = rocAuc(labels, scores);
    t.ok(pairs === 0 ? Number.isNaN(got) : Math.abs(got - won / pairs) < 1e-12, `seed ${seed}, round ${round}: ${got}`);
  }
});

t.test('ranks say nothing of one class', async (t) => {
  for (const label of [0, 1]) {
    t.ok(Number.isNaN(rocAuc([label, label], [0.1, 0.2])));
    t.ok(Number.isNaN(averagePrecision([label, label], [0.1, 0.2])));
  }
  t.throws(() => evaluate([1], [0.1, 0.2]), /1 labels, 2 scores/);
});
