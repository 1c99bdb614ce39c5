import { calibrationError, reliability, type ReliabilityPoint } from '../reliability.js';
import { percentileInterval, type Interval } from './interval.js';
import { figureOf, GATE_METRICS, weightedLoss, type GateMetric, type WeightedLoss } from './loss.js';
import { seededRandom } from '../random.js';

type Numbers = ArrayLike<number>;

/** The rows that both models are judged on. All arrays are of the same length. */
export interface GateSample {
  /** 1: churned. */
  readonly labels: Numbers;
  /** Number of each row's customer, from 0. */
  readonly customer: Numbers;
  readonly candidate: Numbers;
  /** Undefined where there is no champion to compare with. */
  readonly champion: Numbers | undefined;
  /** Rows of each segment; a row may be in several. */
  readonly segments: ReadonlyMap<string, Numbers>;
}

export interface CompareOptions {
  readonly metric: GateMetric;
  /** The interval reaches from this quantile of the draws to one minus it. */
  readonly level: number;
  readonly rounds: number;
  readonly seed: number;
}

/** Both models by one metric. */
export interface MetricComparison {
  readonly candidate: Interval;
  readonly champion: Interval | null;
  /** How much better the candidate is, above 0, or worse, below, in the metric's own unit. */
  readonly gain: Interval | null;
}

export interface SegmentComparison extends MetricComparison {
  readonly segment: string;
  readonly rows: number;
  readonly customers: number;
}

export interface Comparison {
  readonly rows: number;
  readonly customers: number;
  readonly churned: number;
  /** Draws that the intervals rest on. */
  readonly rounds: number;
  readonly level: number;
  readonly metric: GateMetric;
  readonly metrics: Readonly<Record<GateMetric, MetricComparison>>;
  readonly calibration: { readonly candidate: number; readonly champion: number | null };
  readonly calibration_points: { readonly candidate: ReliabilityPoint[]; readonly champion: ReliabilityPoint[] };
  /** By the declared metric; segments too small to say anything are left out. */
  readonly segments: readonly SegmentComparison[];
}

/** Rows and customers below which a segment says nothing. */
export const SEGMENT_MIN = { rows: 50, customers: 20 };
/** Rows drawn in all, beyond which fewer rounds are made; at least so many rounds. */
const WORK = { rows_max: 4e8, rounds_min: 200 };

/** A comparison that is made a piece at a time, so that a process can do other things between. */
export interface ComparisonRun {
  /** Makes up to so many draws. @returns whether there are more to make */
  advance(rounds: number): boolean;
  result(): Comparison;
}

/**
 * The paired bootstrap of both models on the same rows (Efron and Tibshirani 1993, chapter 13). Customers are drawn with
 * replacement, all rows of a customer together: rows of one customer resemble each other, and drawing them one by one would
 * make the intervals too narrow. Both models are judged on the same draw, so what is hard for both cancels.
 */
export function startComparison(sample: GateSample, options: CompareOptions): ComparisonRun {
  const { labels, customer } = sample;
  const all = Uint32Array.from({ length: labels.length }, (_, row) => row);
  const customers = countCustomers(customer, all);
  const present = Uint32Array.from(new Set(Array.from(customer)));
  const places = present.reduce((most, number) => Math.max(most, number + 1), 0);
  const rounds = Math.max(1, Math.min(options.rounds, Math.max(WORK.rounds_min, Math.floor(WORK.rows_max / Math.max(1, labels.length)))));
  const overall = GATE_METRICS.map((metric) => pair(metric, all, sample));
  const segments = [...sample.segments]
    .map(([segment, rows]) => ({ segment, rows: rows.length, customers: countCustomers(customer, rows), pair: pair(options.metric, rows, sample) }))
    .filter((one) => one.rows >= SEGMENT_MIN.rows && one.customers >= SEGMENT_MIN.customers);
  const judged = [...overall, ...segments.map((one) => one.pair)];
  const random = seededRandom(options.seed);
  const times = new Float64Array(places);
  let made = 0;

  return {
    advance(more) {
      for (const end = Math.min(rounds, made + more); made < end; made++) {
        times.fill(0);
        for (let i = 0; i < present.length; i++) times[present[Math.floor(random() * present.length)]!]! += 1;
        for (const one of judged) one.draw(times);
      }
      return made < rounds;
    },
    result() {
      const once = new Float64Array(places).fill(1);
      const summary = (one: Pair, of = customers): MetricComparison => one.summary(once, options.level, of);
      return {
        rows: labels.length, customers, churned: Array.prototype.reduce.call(labels, (sum, label) => (sum as number) + (label as number), 0) as number,
        rounds: made, level: options.level, metric: options.metric,
        metrics: Object.fromEntries(GATE_METRICS.map((metric, i) => [metric, summary(overall[i]!)])) as Record<GateMetric, MetricComparison>,
        calibration: { candidate: calibrationError(labels, sample.candidate), champion: sample.champion === undefined ? null : calibrationError(labels, sample.champion) },
        calibration_points: { candidate: reliability(labels, sample.candidate), champion: sample.champion === undefined ? [] : reliability(labels, sample.champion) },
        segments: segments.map(({ segment, rows, customers: of, pair: one }) => ({ segment, rows, customers: of, ...summary(one, of) })),
      };
    },
  };
}

/** One metric of both models over the same rows, with what the draws gave. */
interface Pair {
  draw(times: Numbers): void;
  summary(once: Numbers, level: number, customers: number): MetricComparison;
}

function pair(metric: GateMetric, rows: Numbers, { labels, customer, candidate, champion }: GateSample): Pair {
  const losses: WeightedLoss[] = [candidate, ...(champion === undefined ? [] : [champion])].map((scores) => weightedLoss(metric, { rows, labels, customer, scores }));
  const drawn: number[][] = losses.map(() => []);
  return {
    draw(times) {
      losses.forEach((loss, i) => drawn[i]!.push(loss(times)));
    },
    summary(once, level, customers) {
      const figures = losses.map((loss) => figureOf(metric, loss(once)));
      const interval = (value: number, draws: number[]): Interval => percentileInterval(value, draws, level, customers);
      const own = losses.map((_, i) => interval(figures[i]!, drawn[i]!.map((loss) => figureOf(metric, loss))));
      if (losses.length === 1) return { candidate: own[0]!, champion: null, gain: null };
      const gains = drawn[0]!.map((loss, i) => drawn[1]![i]! - loss);
      return { candidate: own[0]!, champion: own[1]!, gain: interval(losses[1]!(once) - losses[0]!(once), gains) };
    },
  };
}

function countCustomers(customer: Numbers, rows: Numbers): number {
  const seen = new Set<number>();
  for (let i = 0; i < rows.length; i++) seen.add(customer[rows[i]!]!);
  return seen.size;
}
