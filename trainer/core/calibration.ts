import { calibrationError } from './reliability.js';
import { logLoss } from './metrics.js';

/**
 * What turns a model's probability into one that says how often it happens. Platt: the logistic function of a·logit(p) + b
 * (Platt 1999). Isotonic: the monotone steps of Zadrozny and Elkan 2002, joined by straight lines, so that a score that two
 * runtimes round differently is still calibrated alike.
 */
export type Calibration =
  | { readonly method: 'none' }
  | { readonly method: 'platt'; readonly slope: number; readonly shift: number }
  | { readonly method: 'isotonic'; readonly scores: readonly number[]; readonly rates: readonly number[] };

type Numbers = ArrayLike<number>;
export interface Scored {
  readonly labels: Numbers;
  readonly scores: Numbers;
}

/** Probabilities are kept this far from 0 and 1 before their log-odds are taken. */
export const ODDS_EPSILON = 1e-6;
/** A steeper line would make a rounding of the model's score visible. */
const SLOPE_MAX = 10;
const KNOTS_MAX = 20;

export const logitOf = (p: number): number => {
  const kept = Math.min(1 - ODDS_EPSILON, Math.max(ODDS_EPSILON, p));
  return Math.log(kept) - Math.log(1 - kept);
};

export function calibrate(calibration: Calibration, score: number): number {
  if (calibration.method === 'none') return score;
  if (calibration.method === 'platt') return 1 / (1 + Math.exp(-(calibration.slope * logitOf(score) + calibration.shift)));
  const { scores, rates } = calibration;
  let value = rates[0]!;
  for (let i = 1; i < scores.length; i++) value += (rates[i]! - rates[i - 1]!) * Math.min(1, Math.max(0, (score - scores[i - 1]!) / (scores[i]! - scores[i - 1]!)));
  return value;
}

export const calibrateAll = (calibration: Calibration, scores: Numbers): Float32Array => Float32Array.from(scores, (score) => calibrate(calibration, score));

/** Logistic regression of the label on the log-odds by Newton's method, with Platt's smoothed targets; a step that does not lower the loss is halved. */
export function fitPlatt({ labels, scores }: Scored): Calibration {
  const rows = labels.length;
  let churned = 0;
  for (let i = 0; i < rows; i++) churned += labels[i]!;
  const target = { 1: (churned + 1) / (churned + 2), 0: 1 / (rows - churned + 2) };
  const odds = Float64Array.from(scores, logitOf);
  const lossAt = (slope: number, shift: number): number => {
    let sum = 0;
    // −log-likelihood of the target t at log-odds z: log(1 + e^z) − t·z, without overflow.
    for (let i = 0; i < rows; i++) {
      const z = slope * odds[i]! + shift;
      sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - (labels[i] === 1 ? target[1] : target[0]) * z;
    }
    return sum;
  };
  let [slope, shift] = [1, 0];
  let loss = lossAt(slope, shift);
  for (let step = 0; step < 50; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 1e-9, 0, 1e-9];
    for (let i = 0; i < rows; i++) {
      const x = odds[i]!;
      const p = 1 / (1 + Math.exp(-(slope * x + shift)));
      const error = p - (labels[i] === 1 ? target[1] : target[0]);
      const weight = p * (1 - p);
      g0 += error * x;
      g1 += error;
      h00 += weight * x * x;
      h01 += weight * x;
      h11 += weight;
    }
    const determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 0)) break;
    const [d0, d1] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
    let [size, next] = [1, lossAt(slope - d0, shift - d1)];
    for (; !(next <= loss) && size > 1e-6; next = lossAt(slope - size * d0, shift - size * d1)) size /= 2;
    if (!(next < loss)) break;
    [slope, shift, loss] = [slope - size * d0, shift - size * d1, next];
    if (Math.abs(d0) + Math.abs(d1) < 1e-10) break;
  }
  // A falling line would turn the ranking over: there is nothing to calibrate by.
  return slope > 0 && Number.isFinite(slope) && Number.isFinite(shift) ? { method: 'platt', slope: Math.fround(slope), shift: Math.fround(shift) } : { method: 'none' };
}

/** Pool adjacent violators over groups of equally many rows, then lines between the blocks' means. */
export function fitIsotonic({ labels, scores }: Scored): Calibration {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  const size = Math.max(1, Math.ceil(order.length / (4 * KNOTS_MAX)));
  let blocks: { rows: number; score: number; churned: number }[] = [];
  for (let from = 0; from < order.length; from += size) {
    const block = { rows: 0, score: 0, churned: 0 };
    for (const i of order.subarray(from, from + size)) { block.rows++; block.score += scores[i]!; block.churned += labels[i]!; }
    blocks.push(block);
  }
  blocks = pool(blocks, (before, block) => before.churned / before.rows >= block.churned / block.rows);
  // Blocks that are too near each other, or too many, become one.
  blocks = pool(blocks, (before, block) => slopeOf(before, block) > SLOPE_MAX);
  while (blocks.length > KNOTS_MAX) blocks = thinned(blocks);
  if (blocks.length < 2) return { method: 'none' };
  let highest = 0;
  return {
    method: 'isotonic',
    scores: blocks.map(({ rows, score }) => Math.fround(score / rows)),
    // A block of one class only is no certainty.
    rates: blocks.map(({ rows, churned }) => (highest = Math.max(highest, Math.fround(Math.min((rows + 1) / (rows + 2), Math.max(1 / (rows + 2), churned / rows)))))),
  };
}

interface Block { readonly rows: number; readonly score: number; readonly churned: number }
const join = (a: Block, b: Block): Block => ({ rows: a.rows + b.rows, score: a.score + b.score, churned: a.churned + b.churned });
const slopeOf = (a: Block, b: Block): number => (b.churned / b.rows - a.churned / a.rows) / Math.max(1e-9, b.score / b.rows - a.score / a.rows);

function pool(blocks: readonly Block[], violates: (before: Block, block: Block) => boolean): Block[] {
  const pooled: Block[] = [];
  for (let block of blocks) {
    while (pooled.length > 0 && violates(pooled.at(-1)!, block)) block = join(pooled.pop()!, block);
    pooled.push(block);
  }
  return pooled;
}

/** The two neighbours whose rates are nearest to each other become one. */
function thinned(blocks: readonly Block[]): Block[] {
  let nearest = 1;
  const step = (i: number): number => blocks[i]!.churned / blocks[i]!.rows - blocks[i - 1]!.churned / blocks[i - 1]!.rows;
  for (let i = 2; i < blocks.length; i++) if (step(i) < step(nearest)) nearest = i;
  return blocks.flatMap((block, i) => (i === nearest - 1 ? [] : i === nearest ? [join(blocks[i - 1]!, block)] : [block]));
}

/** Predictions of one fold's validation rows by the model of its training rows. */
export interface OutOfFold extends Scored {
  readonly window: number;
  readonly group: number;
}

export interface CalibrationChoice {
  readonly calibration: Calibration;
  /** By method: calibration error and log loss of out-of-fold predictions that the method was not fitted on. */
  readonly compared: readonly { readonly method: Calibration['method']; readonly calibration_error: number; readonly log_loss: number }[];
}

/** Smaller improvements are noise. */
const ERROR_GAIN_MIN = 0.001;
const FIT_ROWS_MIN = 200;
const FITS = { platt: fitPlatt, isotonic: fitIsotonic } as const;

/**
 * The method, if any, that lowers the calibration error on rows that it was not fitted on and does not raise their log loss.
 * As in service it is fitted on what was known before: a fold is calibrated by the folds of other customers in earlier
 * windows. Where there is one window only, by other customers of the same one.
 */
export function chooseCalibration(folds: readonly OutOfFold[]): CalibrationChoice {
  const judged = folds.map((fold) => ({ fold, before: earlierOf(fold, folds) })).filter(({ before }) => before.labels.length >= FIT_ROWS_MIN);
  const all = concatenated(judged.map(({ fold }) => fold));
  const compare = (method: Calibration['method'], { labels, scores }: Scored): CalibrationChoice['compared'][number] =>
    ({ method, calibration_error: calibrationError(labels, scores), log_loss: logLoss(labels, scores) });
  if (all.labels.length < FIT_ROWS_MIN) return { calibration: { method: 'none' }, compared: [] };
  const none = compare('none', all);
  const others = (['platt', 'isotonic'] as const).map((method) =>
    compare(method, concatenated(judged.map(({ fold, before }) => ({ labels: fold.labels, scores: calibrateAll(FITS[method](before), fold.scores) })))));
  const better = others
    .filter(({ calibration_error, log_loss }) => calibration_error < none.calibration_error - ERROR_GAIN_MIN && log_loss <= none.log_loss)
    .sort((a, b) => a.calibration_error - b.calibration_error)[0];
  return { calibration: better === undefined ? { method: 'none' } : FITS[better.method as keyof typeof FITS](concatenated(folds)), compared: [none, ...others] };
}

function earlierOf(fold: OutOfFold, folds: readonly OutOfFold[]): Scored {
  const strangers = folds.filter(({ group }) => group !== fold.group);
  const windows = new Set(folds.map(({ window }) => window));
  return concatenated(strangers.filter(({ window }) => window < fold.window || windows.size === 1));
}

function concatenated(parts: readonly Scored[]): { labels: Float32Array; scores: Float32Array } {
  const rows = parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const [labels, scores] = [new Float32Array(rows), new Float32Array(rows)];
  let at = 0;
  for (const part of parts) {
    labels.set(part.labels, at);
    scores.set(part.scores, at);
    at += part.labels.length;
  }
  return { labels, scores };
}
