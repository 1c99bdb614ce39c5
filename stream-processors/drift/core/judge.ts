import type { DriftBasis, DriftStatistic, DriftWindow, Measurement } from '../../../schemas/drift/measurement.js';
import { levels, type Budget } from './budget.js';
import { studentQuantile, studentTail } from './distributions.js';
import { forecast, type Forecast, type HistoryPoint } from './forecast.js';
import { moderated, NO_PRIOR, variancePrior, type VariancePrior } from './moderate.js';
import { isJudged, JUDGED } from './scale.js';

/** What one look says of one test. `held`: within the threshold, but not back to where an alarm would end. */
export type Verdict = 'calibrating' | 'few_rows' | 'quiet' | 'held' | 'beyond';

export interface Judged {
  readonly key: string;
  readonly feature: string;
  readonly segment: string;
  readonly against: DriftBasis;
  readonly statistic: DriftStatistic;
  readonly value: number;
  /** What quiet windows lead to expect; NaN while calibrating. */
  readonly expected: number;
  /** The value from which it is drift; NaN while calibrating. */
  readonly threshold: number;
  /** Probability of such a value in a quiet window; null while calibrating, and for fixed thresholds. */
  readonly p: number | null;
  readonly n: number;
  readonly verdict: Verdict;
}

export interface Policy extends Budget {
  readonly kind: 'budget' | 'classic';
  readonly windowMs: number;
  readonly stepMs: number;
  readonly calibrationWindows: number;
  readonly historyWindows: number;
  readonly effectMin: number;
  readonly rowsMin: number;
  readonly psiMax: number;
  readonly persistence: number;
  readonly cooldownMs: number;
  /** Time after which a retraining that brought no other version is asked for again: labels take so long. */
  readonly askAgainMs: number;
}

/** The measurements of a past look that calibration may learn from. */
export interface PastLook extends DriftWindow {
  readonly measurements: readonly Measurement[];
}

/** An alarm ends where a value is no longer unusual at this many times the level, or its effect below half of the floor. */
const HYSTERESIS = 20;
const HYSTERESIS_P_MAX = 0.05;

/** Up to which p a test with that level keeps an alarm standing. */
export const heldP = (level: number): number => Math.min(HYSTERESIS_P_MAX, HYSTERESIS * level);

export const testKey = ({ feature, segment, against, statistic }: Pick<Measurement, 'feature' | 'segment' | 'against' | 'statistic'>): string =>
  `${statistic}|${against}|${feature}|${segment}`;

/**
 * Judges the measurements of a window against the quiet looks before it.
 * @param quiet looks whose windows share nothing with this one, without alarms and data bugs
 */
export function judge(window: DriftWindow, measurements: readonly Measurement[], quiet: readonly PastLook[], policy: Policy): Judged[] {
  if (policy.kind === 'classic') return measurements.flatMap((measurement) => judgeClassic(measurement, policy));
  const hasPrevious = measurements.some(({ against }) => against === 'previous');
  const tests = measurements.filter((measurement) => isJudged(measurement, hasPrevious));
  const worth = Math.min(1, policy.stepMs / policy.windowMs);
  const history = seriesOf(quiet, new Set(tests.map(testKey)));
  const forecasts = tests.map((test) => forecast(history.get(testKey(test)) ?? [], window.to, worth, policy.calibrationWindows));
  const priors = priorsOf(tests, forecasts);
  const share = ({ segment, feature }: Measurement): 'all' | 'together' | 'segments' => (segment !== '' ? 'segments' : feature === 'multivariate' ? 'together' : 'all');
  const count = (of: ReturnType<typeof share>): number => tests.filter((test) => share(test) === of).length;
  const level = levels(policy, { all: count('all'), together: count('together'), segments: count('segments') });
  return tests.map((test, i) => judgeOne(test, forecasts[i], priors.get(familyOf(test)) ?? NO_PRIOR, level[share(test)], policy));
}

function judgeOne(test: Measurement, quiet: Forecast | undefined, prior: VariancePrior, level: number, policy: Policy): Judged {
  const { feature, segment, against, statistic, value, n, n_reference } = test;
  const about = { key: testKey(test), feature, segment, against, statistic, value, n };
  if (n < policy.rowsMin || n_reference < policy.rowsMin) return { ...about, expected: NaN, threshold: NaN, p: null, verdict: 'few_rows' };
  if (quiet === undefined) return { ...about, expected: NaN, threshold: NaN, p: null, verdict: 'calibrating' };
  const scale = JUDGED[statistic]!;
  const { variance, dof } = moderated(quiet.variance, quiet.dof, prior);
  // Fewer rows than usual: the level and the spread that sampling alone would make of it.
  const fewer = Math.max(1, (1 / n + 1 / n_reference) / quiet.sampling);
  const expectedY = quiet.expected * fewer ** scale.samplingPower;
  const error = Math.sqrt(variance * fewer * (1 + quiet.leverage));
  const expected = scale.back(expectedY);
  const away = scale.y(value) - expectedY;
  const sides = scale.twoSided ? 2 : 1;
  const t = (scale.twoSided ? Math.abs(away) : away) / error;
  // A statistic that never varied has no scale: only the effect's size can speak.
  const p = error > 0 ? Math.min(1, sides * studentTail(t, dof)) : away === 0 ? 1 : 0;
  const effect = scale.twoSided ? Math.abs(value - expected) : value - expected;
  const reach = error > 0 ? studentQuantile(level / sides, dof) * error : 0;
  const up = !scale.twoSided || away >= 0;
  const threshold = up ? Math.max(scale.back(expectedY + reach), expected + policy.effectMin) : Math.min(scale.back(expectedY - reach), expected - policy.effectMin);
  const beyond = p <= level && effect >= policy.effectMin;
  const held = p <= heldP(level) && effect >= policy.effectMin / 2;
  return { ...about, expected, threshold, p, verdict: beyond ? 'beyond' : held ? 'held' : 'quiet' };
}

/** Fixed thresholds, as in many a handbook: PSI from psiMax is drift, from half of it a change to watch; missing values a tenth more than in training. */
function judgeClassic(measurement: Measurement, { psiMax, rowsMin }: Policy): Judged[] {
  const { feature, segment, against, statistic, value, baseline, n, n_reference } = measurement;
  const threshold = statistic === 'psi' && against === 'reference' ? psiMax : statistic === 'missing_rate' && against === 'reference' ? baseline + 0.1 : undefined;
  if (threshold === undefined) return [];
  const expected = statistic === 'missing_rate' ? baseline : 0;
  const verdict = n < rowsMin || n_reference < rowsMin ? 'few_rows' : value >= threshold ? 'beyond' : value >= (threshold + expected) / 2 ? 'held' : 'quiet';
  return [{ key: testKey(measurement), feature, segment, against, statistic, value, expected, threshold, p: null, n, verdict }];
}

function seriesOf(quiet: readonly PastLook[], wanted: ReadonlySet<string>): Map<string, HistoryPoint[]> {
  const series = new Map<string, HistoryPoint[]>();
  for (const look of quiet)
    for (const measurement of look.measurements) {
      const key = testKey(measurement);
      if (!wanted.has(key)) continue;
      const point = { at: look.to, y: JUDGED[measurement.statistic]!.y(measurement.value), sampling: 1 / measurement.n + 1 / measurement.n_reference };
      const points = series.get(key);
      if (points === undefined) series.set(key, [point]);
      else points.push(point);
    }
  return series;
}

/** Tests whose noise is of a kind lend each other their variances. */
const familyOf = ({ statistic, against, segment }: Measurement): string => `${statistic}|${against}|${segment === '' ? '' : segment.slice(0, segment.indexOf('=') + 1)}`;

function priorsOf(tests: readonly Measurement[], forecasts: readonly (Forecast | undefined)[]): Map<string, VariancePrior> {
  const families = new Map<string, Forecast[]>();
  tests.forEach((test, i) => {
    const quiet = forecasts[i];
    if (quiet !== undefined) families.set(familyOf(test), [...(families.get(familyOf(test)) ?? []), quiet]);
  });
  return new Map([...families].map(([family, all]) => {
    const dof = all.map((one) => one.dof).sort((a, b) => a - b)[all.length >> 1]!;
    return [family, variancePrior(all.map(({ variance }) => variance), dof)];
  }));
}
