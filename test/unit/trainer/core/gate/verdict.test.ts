import t from 'tap';
import { startComparison, type CompareOptions, type GateSample } from '../../../../../trainer/core/gate/compare.js';
import type { GateMetric } from '../../../../../trainer/core/gate/loss.js';
import { judge, type Costs, type GateLimits, type Verdict } from '../../../../../trainer/core/gate/verdict.js';
import { simulateModels } from '../../../../support/model-pair.js';

const LEVEL = 0.05;
const limits: GateLimits = { metric_tolerance: 0.02, segment_tolerance: 0.05, calibration_tolerance: 0.02, latency_ratio_max: 3, size_ratio_max: 10 };
const cost = { one_row_us: 12, many_rows_us: 5, bytes: 300_000 };
const costs: Costs = { candidate: cost, champion: cost };

function verdictOf(sample: GateSample, over: Partial<CompareOptions> = {}, of: Costs = costs): Verdict {
  const run = startComparison(sample, { metric: 'log_loss', level: LEVEL, rounds: 199, seed: 5, ...over });
  while (run.advance(199));
  return judge(run.result(), of, limits);
}
const failed = ({ checks }: Verdict): string[] => checks.filter(({ passed }) => !passed).map(({ check }) => check);

for (const metric of ['log_loss', 'auc'] as const satisfies readonly GateMetric[])
  t.test(`two models of equal worth: taken over at most as often as the level says (${metric})`, async (t) => {
    const RUNS = 300;
    let better = 0;
    let deployed = 0;
    for (let run = 0; run < RUNS; run++) {
      const { sample } = simulateModels({ seed: 1000 + run * 7919, customers: 120, rows_each: 3 });
      const verdict = verdictOf({ ...sample, segments: new Map() }, { metric, seed: run });
      if (!failed(verdict).includes('better')) better++;
      if (verdict.outcome === 'deploy') deployed++;
    }
    // three standard deviations of a binomial count above the level
    const most = RUNS * LEVEL + 3 * Math.sqrt(RUNS * LEVEL * (1 - LEVEL));
    t.ok(better <= most, `${better} of ${RUNS}, at most ${most.toFixed(0)}`);
    t.ok(better >= 5, `${better} of ${RUNS}: the interval is no wider than it needs to be`);
    t.ok(deployed <= better);
    t.comment(`${metric}: better in ${better}, deployed in ${deployed} of ${RUNS}`);
  });

t.test('a truly better candidate is deployed, with the figures', async (t) => {
  let deployed = 0;
  let last: Verdict | undefined;
  for (let run = 0; run < 20; run++) {
    last = verdictOf(simulateModels({ seed: 50 + run, customers: 500, rows_each: 4, noise: { candidate: 0.3, champion: 1 } }).sample, { seed: run });
    if (last.outcome === 'deploy') deployed++;
  }
  t.ok(deployed >= 19, `${deployed} of 20`);
  t.match(last!.reason, /^log loss 0\.\d{4} against the champion’s 0\.\d{4} \(lower is better\): better by 0\.\d{4}, 90 % interval 0\.\d{4} to 0\.\d{4} of the gain$/);
});

t.test('a worse candidate is refused, and says how much worse', async (t) => {
  for (let run = 0; run < 5; run++) {
    const verdict = verdictOf(simulateModels({ seed: 90 + run, customers: 500, rows_each: 4, noise: { candidate: 1.2, champion: 0.3 } }).sample);
    t.equal(verdict.outcome, 'keep');
    t.match(verdict.reason, /not better beyond noise: log loss .* worse by 0\.\d{4}/);
  }
});

t.test('a candidate that learnt the labels upside down is refused in every respect', async (t) => {
  const { sample } = simulateModels({ seed: 3, customers: 400, rows_each: 3 });
  const verdict = verdictOf({ ...sample, candidate: Array.from(sample.champion!, (p) => 1 - p) });
  t.strictSame(failed(verdict), ['better', 'other_metrics', 'calibration', 'segments']);
});

t.test('better on the whole and worse in one segment: refused, with its name and figures', async (t) => {
  const { sample } = simulateModels({ seed: 4, customers: 1200, rows_each: 2, noise: { candidate: 0.05, champion: 1.2 }, bend: (p) => 1 - p });
  const verdict = verdictOf(sample);
  t.ok(!failed(verdict).includes('better'), 'it is better on the whole');
  t.strictSame(failed(verdict), ['segments']);
  t.match(verdict.reason, /^worse by more than 5 % of the champion’s loss in tenure=0-30 \(300 rows\): log loss \d\.\d{4} against 0\.\d{4}/);
});

t.test('better ranking bought with wrong probabilities is refused for its calibration', async (t) => {
  const { sample } = simulateModels({ seed: 5, customers: 600, rows_each: 4, noise: { candidate: 0.1, champion: 1.2 } });
  const verdict = verdictOf({ ...sample, candidate: Array.from(sample.candidate, (p) => p ** 3) }, { metric: 'auc' });
  t.ok(failed(verdict).includes('calibration'));
  t.ok(!failed(verdict).includes('better'));
});

t.test('slower or larger beyond measure is refused; free below a floor', async (t) => {
  const { sample } = simulateModels({ seed: 6, customers: 500, rows_each: 4, noise: { candidate: 0.2, champion: 1.2 } });
  const withCost = (candidate: Partial<typeof cost>): string[] => failed(verdictOf(sample, {}, { candidate: { ...cost, ...candidate }, champion: cost }));
  t.strictSame(withCost({}), []);
  t.strictSame(withCost({ one_row_us: 49 }), [], 'four times slower, and still nothing');
  t.strictSame(withCost({ one_row_us: 51 }), ['latency']);
  t.strictSame(withCost({ many_rows_us: 21 }), ['latency']);
  t.strictSame(withCost({ bytes: 3_900_000 }), []);
  t.strictSame(withCost({ bytes: 4_100_000 }), ['size']);
});

t.test('too few rows, customers or outcomes decide nothing', async (t) => {
  const { sample } = simulateModels({ seed: 7, customers: 20, rows_each: 10, noise: { candidate: 0.1, champion: 2 } });
  const verdict = verdictOf(sample);
  t.ok(failed(verdict).includes('enough_rows'));
  t.match(verdict.reason, /too little to compare on: 200 rows of 20 customers/);
  t.equal(verdictOf({ labels: [], customer: [], candidate: [], champion: [], segments: new Map() }).outcome, 'keep');
});
