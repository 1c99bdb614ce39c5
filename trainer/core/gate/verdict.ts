import type { Comparison, MetricComparison, SegmentComparison } from './compare.js';
import type { Interval } from './interval.js';
import { figureOf, GATE_METRICS, METRIC_WORDS, type GateMetric } from './loss.js';

/** How far a candidate may be worse in one thing while it is better in the declared metric. */
export interface GateLimits {
  /** Share of the champion's loss by another metric. */
  readonly metric_tolerance: number;
  /** Share of the champion's loss in a segment. */
  readonly segment_tolerance: number;
  /** Calibration error above the champion's. */
  readonly calibration_tolerance: number;
  /** Times the champion's. */
  readonly latency_ratio_max: number;
  readonly size_ratio_max: number;
}

/** What serving the models costs. */
export interface Cost {
  /** Microseconds of a call with one row, and a row's share of a call with many. */
  readonly one_row_us: number;
  readonly many_rows_us: number;
  readonly bytes: number;
}
export interface Costs {
  readonly candidate: Cost;
  readonly champion: Cost | null;
}

/** Below these a model is quick and small enough whatever the champion's are. */
export const COST_FREE = { one_row_us: 50, many_rows_us: 20, bytes: 4_000_000 };
/** Fewer rows, customers or rows of either class decide nothing. */
export const SAMPLE_MIN = { rows: 50, customers: 30, of_each_class: 20 };

export const CHECKS = ['enough_rows', 'better', 'other_metrics', 'calibration', 'segments', 'latency', 'size'] as const;
export interface Check {
  readonly check: (typeof CHECKS)[number];
  readonly passed: boolean;
  /** Words and figures, one sentence. */
  readonly text: string;
}

export interface Verdict {
  readonly outcome: 'deploy' | 'keep';
  /** The sentence that decided. */
  readonly reason: string;
  readonly checks: readonly Check[];
}

/** Better beyond noise by the declared metric, and worse nowhere beyond a tolerance: else the champion stays. */
export function judge(comparison: Comparison, costs: Costs, limits: GateLimits): Verdict {
  const checks = [
    enoughRows(comparison),
    better(comparison),
    otherMetrics(comparison, limits.metric_tolerance),
    calibration(comparison, limits.calibration_tolerance),
    segments(comparison, limits.segment_tolerance),
    latency(costs, limits.latency_ratio_max),
    size(costs, limits.size_ratio_max),
  ];
  const failed = checks.filter(({ passed }) => !passed);
  return failed.length === 0
    ? { outcome: 'deploy', reason: checks[1]!.text, checks }
    : { outcome: 'keep', reason: failed.map(({ text }) => text).join('; '), checks };
}

function enoughRows({ rows, customers, churned }: Comparison): Check {
  const passed = rows >= SAMPLE_MIN.rows && customers >= SAMPLE_MIN.customers && Math.min(churned, rows - churned) >= SAMPLE_MIN.of_each_class;
  const there = `${rows} rows of ${customers} customers, ${churned} churned`;
  const { of_each_class } = SAMPLE_MIN;
  return { check: 'enough_rows', passed, text: passed ? there : `too little to compare on: ${there}; expected ${SAMPLE_MIN.rows} rows of ${SAMPLE_MIN.customers} customers and ${of_each_class} of each outcome` };
}

function better({ metric, metrics, level }: Comparison): Check {
  const { candidate, champion, gain } = metrics[metric];
  const { words, higher_is_better } = METRIC_WORDS[metric];
  const passed = gain !== null && gain.low > 0;
  const direction = (gain?.value ?? 0) >= 0 ? 'better' : 'worse';
  const figures = `${words} ${show(candidate.value)} against the champion’s ${show(champion?.value ?? NaN)} (${higher_is_better ? 'higher' : 'lower'} is better)`;
  const by = gain === null ? '' : `: ${direction} by ${show(Math.abs(gain.value))}, ${intervalWords(gain, level)} of the gain`;
  return { check: 'better', passed, text: passed ? figures + by : `not better beyond noise: ${figures}${by}` };
}

function otherMetrics({ metric, metrics, level }: Comparison, tolerance: number): Check {
  const others = GATE_METRICS.filter((other) => other !== metric);
  const worse = others.filter((other) => isWorse(other, metrics[other], tolerance));
  const text = worse.length === 0
    ? `no other metric is worse by more than ${percent(tolerance)} beyond noise (${others.map((other) => figures(other, metrics[other])).join(', ')})`
    : `worse by more than ${percent(tolerance)} of the champion’s loss: ${worse.map((other) => `${figures(other, metrics[other])}, ${intervalWords(metrics[other].gain!, level)} of the gain`).join(', ')}`;
  return { check: 'other_metrics', passed: worse.length === 0, text };
}

function calibration({ calibration: { candidate, champion } }: Comparison, tolerance: number): Check {
  const passed = !(candidate > (champion ?? candidate) + tolerance);
  return { check: 'calibration', passed, text: `calibration error ${show(candidate)} against ${show(champion ?? NaN)}${passed ? '' : `: above the champion’s by more than ${tolerance}`}` };
}

function segments(comparison: Comparison, tolerance: number): Check {
  const { metric, segments: all, level } = comparison;
  const worse = all.filter((one) => isWorse(metric, one, tolerance));
  if (worse.length > 0) {
    const named = worse.map((one) => `${one.segment} (${one.rows} rows): ${figures(metric, one)}, ${intervalWords(one.gain!, level)} of the gain`);
    return { check: 'segments', passed: false, text: `worse by more than ${percent(tolerance)} of the champion’s loss in ${named.join(', ')}` };
  }
  const worst = worstSegment(comparison);
  return { check: 'segments', passed: true, text: worst === undefined ? 'no segment is large enough to judge' : `worst segment ${worst.segment} (${worst.rows} rows): ${figures(metric, worst)}` };
}

/** The segment where the candidate gains least for what the champion's loss is there. */
export function worstSegment({ metric, segments: all }: Comparison): SegmentComparison | undefined {
  const relative = ({ gain, champion }: SegmentComparison): number => (gain === null || champion === null ? 0 : gain.value / figureOf(metric, champion.value));
  return all.filter((one) => one.gain !== null && !Number.isNaN(one.gain.value)).reduce<SegmentComparison | undefined>((worst, one) => (worst === undefined || relative(one) < relative(worst) ? one : worst), undefined);
}

function latency({ candidate, champion }: Costs, ratio_max: number): Check {
  const over = (['one_row_us', 'many_rows_us'] as const).filter((kind) => champion !== null && candidate[kind] > Math.max(COST_FREE[kind], champion[kind] * ratio_max));
  const against = (kind: 'one_row_us' | 'many_rows_us'): string => (champion === null ? '' : ` against ${micros(champion[kind])}`);
  const text = `a call with one row takes ${micros(candidate.one_row_us)}${against('one_row_us')}, a row of many ${micros(candidate.many_rows_us)}${against('many_rows_us')}`;
  return { check: 'latency', passed: over.length === 0, text: over.length === 0 ? text : `slower than ${ratio_max} times the champion: ${text}` };
}

function size({ candidate, champion }: Costs, ratio_max: number): Check {
  const passed = champion === null || candidate.bytes <= Math.max(COST_FREE.bytes, champion.bytes * ratio_max);
  const text = `${kilobytes(candidate.bytes)}${champion === null ? '' : ` against ${kilobytes(champion.bytes)}`}`;
  return { check: 'size', passed, text: passed ? text : `larger than ${ratio_max} times the champion: ${text}` };
}

/** Worse by more than a share of the champion's loss, and not by chance: the whole interval of the gain is below 0. */
function isWorse(metric: GateMetric, { champion, gain }: MetricComparison, tolerance: number): boolean {
  if (champion === null || gain === null) return false;
  return gain.high < 0 && -gain.value > tolerance * figureOf(metric, champion.value);
}

const figures = (metric: GateMetric, { candidate, champion }: MetricComparison): string =>
  `${METRIC_WORDS[metric].words} ${show(candidate.value)}${champion === null ? '' : ` against ${show(champion.value)}`}`;
const intervalWords = ({ low, high }: Interval, level: number): string => `${percent(1 - 2 * level)} interval ${show(low)} to ${show(high)}`;
const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
const micros = (us: number): string => `${us.toFixed(1)} µs`;
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
/** Enough figures to see a difference between models. */
export const show = (value: number): string => (Number.isNaN(value) ? 'undefined' : Math.abs(value) >= 1e-4 || value === 0 ? value.toFixed(4) : value.toExponential(1)).replace('-', '−');
