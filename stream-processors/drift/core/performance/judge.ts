import type { DriftBasis, DriftStatistic } from '../../../../schemas/drift/measurement.js';
import { alphaOfLook, SHARES } from '../budget.js';
import { studentQuantile, studentTail } from '../distributions.js';
import { heldP, testKey, type Judged, type Policy } from '../judge.js';
import { covariance, meanLoss, sharedVariance, type PieceSums } from './mean-loss.js';

/** The losses that are judged: those that are a mean over rows. */
export const LOSSES = ['log_loss', 'brier'] as const;
export type Loss = (typeof LOSSES)[number];

/** What the version's holdout promised for the mixture of events and silence that the window has; null where it is not known. */
export interface Promised {
  readonly loss: number;
  /** Rows that it was measured on. */
  readonly rows: number;
}

export interface PerformanceFigures {
  readonly loss: Loss;
  readonly sums: readonly PieceSums[];
  readonly promised: Promised | null;
}

export type PerformancePolicy = Pick<Policy, 'falseAlarmDays' | 'stepDays' | 'rowsMin' | 'calibrationWindows'> & {
  /** Smallest increase of the loss that counts, as a share of what is expected. */
  readonly lossIncreaseMin: number;
};

/** Fewer customers have no variance to speak of. */
const CUSTOMERS_MIN = 30;

interface Test {
  readonly against: DriftBasis;
  readonly expected: number;
  /** Of the difference: what comes of customers' luck, and what is shared from window to window. */
  readonly own: number;
  readonly shared: number;
  readonly ownDof: number;
  readonly sharedDof: number;
  readonly known: boolean;
  readonly rows: number;
}

/**
 * Judges the realised loss of a window: against what the version's holdout promised (`reference`), and against its own former
 * windows (`previous`). Nothing where the window has no labels. Derivation: docs/drift-thresholds.md, "Performance".
 */
export function judgePerformance({ loss, sums, promised }: PerformanceFigures, policy: PerformancePolicy): Judged[] {
  const window = sums.find(({ piece }) => piece === 0);
  if (window === undefined) return [];
  const { mean, variance } = meanLoss(window);
  const former = sums.find(({ piece }) => piece === -1);
  const pieces = sums.filter(({ piece, n, customers }) => piece > 0 && n >= policy.rowsMin && customers >= CUSTOMERS_MIN);
  const shared = sharedVariance(pieces);
  const tests: Test[] = [];
  if (promised !== null)
    tests.push({ against: 'reference', expected: promised.loss, own: variance * (1 + window.n / promised.rows), shared, ownDof: window.customers - 1, sharedDof: Math.max(1, pieces.length - 1), known: true, rows: promised.rows });
  if (former !== undefined)
    tests.push({
      against: 'previous', expected: meanLoss(former).mean, own: Math.max(0, variance + meanLoss(former).variance - 2 * covariance(window, former)), shared: shared * (1 + 1 / Math.max(1, pieces.length)),
      ownDof: Math.min(window.customers, former.customers) - 1, sharedDof: Math.max(1, pieces.length - 1), known: pieces.length >= policy.calibrationWindows - 1, rows: former.n,
    });
  const level = (alphaOfLook(policy) * SHARES.performance) / Math.max(1, tests.length);
  const few = window.n < policy.rowsMin || window.customers < CUSTOMERS_MIN;
  return tests.map((test) => judgeOne(loss, mean, window.n, test, level, few, policy));
}

function judgeOne(statistic: DriftStatistic, value: number, n: number, test: Test, level: number, few: boolean, policy: PerformancePolicy): Judged {
  const about = { key: testKey({ feature: 'performance', segment: '', against: test.against, statistic }), feature: 'performance', segment: '', against: test.against, statistic, value, n };
  if (few || test.rows < policy.rowsMin) return { ...about, expected: test.expected, threshold: NaN, p: null, verdict: 'few_rows' };
  if (!test.known) return { ...about, expected: test.expected, threshold: NaN, p: null, verdict: 'calibrating' };
  const total = test.own + test.shared;
  const error = Math.sqrt(total);
  // Satterthwaite's degrees of freedom of a sum of two estimated variances
  const dof = total > 0 ? total ** 2 / (test.own ** 2 / test.ownDof + test.shared ** 2 / test.sharedDof) : 1;
  const effect = value - test.expected;
  const floor = policy.lossIncreaseMin * test.expected;
  const p = error > 0 ? studentTail(effect / error, dof) : effect > 0 ? 0 : 1;
  const threshold = test.expected + Math.max(floor, error > 0 ? studentQuantile(level, dof) * error : 0);
  const verdict = p <= level && effect >= floor ? 'beyond' : p <= heldP(level) && effect >= floor / 2 ? 'held' : 'quiet';
  return { ...about, expected: test.expected, threshold, p, verdict };
}
