import type { Promised } from '../../../stream-processors/drift/core/performance/judge.js';
import { formerWindows, lookAtPerformance, type PerformanceLookInput } from '../../../stream-processors/drift/core/performance/look.js';
import type { PieceSums } from '../../../stream-processors/drift/core/performance/mean-loss.js';
import { NEW_WATCH, type Watch } from '../../../stream-processors/drift/core/watch.js';
import { createBooster } from '../../../trainer/xgboost/booster.js';
import type { Xgboost } from '../../../trainer/xgboost/capi.js';
import { createMatrix, type Rows } from '../../../trainer/xgboost/matrix.js';
import { DAY, FEATURES, HORIZON_DAYS, START, type Shop } from './shop.js';

const ROUNDS = 80;
const PARAMETERS = { objective: 'binary:logistic', tree_method: 'hist', max_depth: 4, eta: 0.1, min_child_weight: 10, subsample: 0.8, seed: 7 };
/** Each day's loss of each customer, summed: n, s, predictions after events. */
type DayLosses = { readonly n: Float64Array; readonly s: Float64Array; readonly e: Float64Array };

function rowsOf(shop: Shop, from: number, to: number): Rows {
  const days = shop.rows.slice(from, to);
  const labels = days.flatMap(({ customers, at }) => customers.map((customer, row) => shop.labelOf(customer, at[row]!)));
  const values = new Float32Array(labels.length * FEATURES.length);
  let place = 0;
  for (const day of days) { values.set(day.values, place); place += day.values.length; }
  return { values, rows: labels.length, columns: FEATURES.length, labels: Float32Array.from(labels) };
}

/** A model of days [from, to), and the log loss of its scores on the days from `scoredFrom` on, by customer. */
export async function dailyLosses(library: Xgboost, shop: Shop, trained: { from: number; to: number }, scoredFrom: number, threads: number): Promise<DayLosses[]> {
  const train = createMatrix(library, rowsOf(shop, trained.from, trained.to), threads);
  const booster = createBooster(library, { ...PARAMETERS, nthread: threads }, [train]);
  try {
    for (let round = 0; round < ROUNDS; round++) await booster.update(round, train);
    const losses: DayLosses[] = [];
    for (let day = 0; day < shop.rows.length; day++) {
      const sums = { n: new Float64Array(shop.customers), s: new Float64Array(shop.customers), e: new Float64Array(shop.customers) };
      losses.push(sums);
      const { customers, on_event } = shop.rows[day]!;
      if (day < scoredFrom || customers.length === 0) continue;
      const rows = rowsOf(shop, day, day + 1);
      const matrix = createMatrix(library, rows, threads);
      const scores = await booster.predict(matrix);
      matrix.free();
      customers.forEach((customer, row) => {
        const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, scores[row]!));
        sums.n[customer]!++;
        sums.s[customer]! -= Math.log(rows.labels![row] === 1 ? p : 1 - p);
        sums.e[customer]! += on_event[row]!;
      });
    }
    return losses;
  } finally {
    booster.free();
    train.free();
  }
}

function pieceOf(losses: readonly DayLosses[], piece: number, from: number, to: number, window: DayLosses): PieceSums {
  const sum = totals(losses, from, to);
  const out = { piece, customers: 0, events: 0, n: 0, s: 0, nn: 0, ns: 0, ss: 0, nn0: 0, ns0: 0, sn0: 0, ss0: 0 };
  for (let c = 0; c < sum.n.length; c++) {
    const [n, s, n0, s0] = [sum.n[c]!, sum.s[c]!, window.n[c]!, window.s[c]!];
    if (n === 0) continue;
    out.customers++;
    out.events += sum.e[c]!;
    out.n += n; out.s += s; out.nn += n * n; out.ns += n * s; out.ss += s * s; out.nn0 += n * n0; out.ns0 += n * s0; out.sn0 += s * n0; out.ss0 += s * s0;
  }
  return out;
}

function totals(losses: readonly DayLosses[], from: number, to: number): DayLosses {
  const size = losses[0]!.n.length;
  const sum = { n: new Float64Array(size), s: new Float64Array(size), e: new Float64Array(size) };
  for (let day = from; day < to; day++) for (const name of ['n', 's', 'e'] as const) losses[day]![name].forEach((value, c) => { sum[name][c]! += value; });
  return sum;
}

/** The days at which performance asks for a retraining: those on which the labels of the window are complete. */
export function watchLabels(losses: readonly DayLosses[], policy: PerformanceLookInput['policy'], windowDays: number, historyWindows: number, from: number, holdout: { from: number; to: number }): number[] {
  const promise = pieceOf(losses, 0, holdout.from, holdout.to, totals(losses, holdout.from, holdout.to));
  const promised: Promised = { loss: promise.s / promise.n, rows: promise.n };
  let watch: Watch = NEW_WATCH;
  const days: number[] = [];
  // a horizon and a day later at the end of what is simulated
  for (let to = from + windowDays; to + HORIZON_DAYS + 1 <= losses.length; to++) {
    const at = (day: number): number => START + day * DAY;
    const window = { from: at(to - windowDays), to: at(to) };
    const former = formerWindows(window, watch, at(from), historyWindows);
    const [first, last] = [former.from, former.to].map((time) => (time - START) / DAY) as [number, number];
    const now = totals(losses, to - windowDays, to);
    const sums = [pieceOf(losses, 0, to - windowDays, to, now)];
    for (let end = last, piece = 1; end - windowDays >= first; end -= windowDays) sums.push(pieceOf(losses, piece++, end - windowDays, end, now));
    if (sums.length > 1) sums.push(pieceOf(losses, -1, first, last, now));
    const labelledAt = window.to + (HORIZON_DAYS + 1) * DAY;
    const result = lookAtPerformance({
      model: 'churn', modelVersion: 'v1', window, labelledAt, figures: { loss: 'log_loss', sums, promised }, watch, quarantines: [], policy, cooldownUntil: 0, underWay: false, horizonMs: HORIZON_DAYS * DAY, expectedGain: null, estimated: null,
    });
    watch = result.watch;
    // what is asked for again is no other alarm
    if (result.event !== undefined && watch.alarm?.asked === 1) days.push((labelledAt - START) / DAY);
  }
  return days;
}
