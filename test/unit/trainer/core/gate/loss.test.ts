import t from 'tap';
import { evaluate } from '../../../../../trainer/core/metrics.js';
import { figureOf, GATE_METRICS, weightedLoss } from '../../../../../trainer/core/gate/loss.js';
import { seeded } from '../../../../support/random.js';

const SEED = 11;
t.comment(`seed ${SEED}`);

t.test('every loss is the metric itself on rows repeated as often as their customer was drawn', async (t) => {
  const random = seeded(SEED);
  for (let round = 0; round < 60; round++) {
    const customers = 2 + random.below(12);
    const n = 4 + random.below(60);
    const customer = Array.from({ length: n }, () => random.below(customers));
    const labels = Array.from({ length: n }, () => random.below(2));
    // few different scores: ties within and across classes
    const scores = Array.from({ length: n }, () => (random.chance(0.5) ? random.below(5) / 5 : random()));
    const rows = [...labels.keys()].filter(() => random.chance(0.8));
    const times = Array.from({ length: customers }, () => random.below(4));
    const repeated = rows.flatMap((row) => Array.from({ length: times[customer[row]!]! }, () => row));
    const expected = evaluate(repeated.map((row) => labels[row]!), repeated.map((row) => scores[row]!));
    for (const metric of GATE_METRICS) {
      const got = figureOf(metric, weightedLoss(metric, { rows, labels, customer, scores })(times));
      const want = repeated.length === 0 ? NaN : expected[metric];
      if (!(Math.abs(got - want) < 1e-12 || (Number.isNaN(got) && Number.isNaN(want)))) t.fail(`round ${round}, ${metric}: got ${got}, want ${want}`);
    }
  }
});
