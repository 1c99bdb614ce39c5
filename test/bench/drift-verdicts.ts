import { EVENT_TYPES } from '../../schemas/events/customer-event.js';
import { hashId } from '../../schemas/events/hash-id.js';
import { binOf } from '../../schemas/drift/bins.js';
import type { DriftBasis, DriftStatistic, Measurement } from '../../schemas/drift/measurement.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { judge, type PastLook, type Policy } from '../../stream-processors/drift/core/judge.js';
import { isUsual, NEW_WATCH, answered, step, type Watch } from '../../stream-processors/drift/core/watch.js';
import { compileReducer, type State } from '../../stream-processors/features/core/reducer.js';
import { DEFAULT_SIMULATION, type RegimeShift } from '../../stream-processors/sources/core/simulation-parameters.js';
import { Simulator } from '../../stream-processors/sources/core/simulator.js';

/**
 * False alarms in a simulated year without change, and the delay for planted changes: the verdicts' own core over daily looks
 * at weekly windows of a simulated shop, events and sweeps, beside Evidently's defaults (normed Wasserstein 0.1 a column, half of
 * the columns a data set) and PSI 0.2 on the same windows. Statistics are taken over the bins of feature_hours.
 */
const SEEDS = (process.env['SEEDS'] ?? '1,2,3').split(',').map(Number);
const SHIFTS = (process.env['SHIFTS'] ?? 'visits 0.9,visits 0.8,visits 0.7,amounts 1.1,amounts 1.2,amounts 1.3').split(',').filter((shift) => shift !== '');
const DAY = 86_400_000;
const START = Date.UTC(2023, 0, 1);
const [TRAINED_FROM, TRAINED_TO, WINDOW, YEAR_END, SHIFT_DAY, SHIFT_LOOKS] = [120, 180, 7, 180 + 365, 380, 60];
const FEATURES = featureNames(view);
const POLICY: Policy = {
  kind: 'budget', falseAlarmDays: 90, stepDays: 1, windowMs: WINDOW * DAY, stepMs: DAY, calibrationWindows: 4, historyWindows: 12,
  effectMin: 0.025, rowsMin: 200, psiMax: 0.2, persistence: 3, cooldownMs: 14 * DAY, askAgainMs: 30 * DAY,
};
type Histogram = Map<number, { rows: number; total: number }>;

/** Histograms of each feature by day. */
function simulate(seed: number, days: number, regime?: RegimeShift): Histogram[][] {
  const simulator = new Simulator({ ...DEFAULT_SIMULATION, start_ms: START, seed, ...(regime === undefined ? {} : { regime }) });
  const reducer = compileReducer(view);
  const customers = new Map<string, { state: State; sweepAt: number }>();
  const histograms = Array.from({ length: days }, () => FEATURES.map((): Histogram => new Map()));
  const vector = new Float64Array(FEATURES.length);
  const emit = (state: State, clockMs: number): void => {
    const day = Math.floor((clockMs - START) / DAY);
    if (day < TRAINED_FROM || day >= days) return;
    reducer.vector(state, clockMs, vector, 0);
    for (const [f, value] of vector.entries()) {
      const histogram = histograms[day]![f]!;
      const cell = histogram.get(binOf(value));
      if (cell === undefined) histogram.set(binOf(value), { rows: 1, total: value });
      else { cell.rows++; cell.total += value; }
    }
  };
  const sweep = (customer: { state: State; sweepAt: number }, until: number): void => { for (; customer.sweepAt <= until; customer.sweepAt += DAY) emit(customer.state, customer.sweepAt); };
  for (let event = simulator.next(); event !== undefined && event.event_time < START + days * DAY; event = simulator.next()) {
    let customer = customers.get(event.customer_id);
    if (customer === undefined) customers.set(event.customer_id, (customer = { state: reducer.create(), sweepAt: Infinity }));
    sweep(customer, event.event_time - 1);
    if (reducer.update(customer.state, EVENT_TYPES.indexOf(event.event_type), event.amount ?? NaN, event.quantity ?? NaN, event.event_time, hashId(event.event_id)) !== 0) continue;
    emit(customer.state, event.event_time);
    customer.sweepAt = reducer.latestMs(customer.state) + DAY;
  }
  for (const customer of customers.values()) sweep(customer, START + days * DAY - 1);
  return histograms;
}

function merged(days: readonly Histogram[][], from: number, to: number, feature: number): Histogram {
  const sum: Histogram = new Map();
  for (let day = from; day < to; day++)
    for (const [bin, { rows, total }] of days[day]![feature]!) {
      const cell = sum.get(bin);
      if (cell === undefined) sum.set(bin, { rows, total });
      else { cell.rows += rows; cell.total += total; }
    }
  return sum;
}

/** The distances of two histograms, missing values left out: KS over all bins, the others over the reference's deciles. */
function distances(reference: Histogram, current: Histogram): { ks: number; js: number; psi: number; wasserstein: number; n: number; m: number } {
  const bins = [...new Set([...reference.keys(), ...current.keys()])].filter((bin) => bin !== binOf(NaN)).sort((a, b) => a - b);
  const count = (histogram: Histogram): number => bins.reduce((sum, bin) => sum + (histogram.get(bin)?.rows ?? 0), 0);
  const [m, n] = [count(reference), count(current)];
  const value = (bin: number): number => { const [r, c] = [reference.get(bin), current.get(bin)]; return ((r?.total ?? 0) + (c?.total ?? 0)) / ((r?.rows ?? 0) + (c?.rows ?? 0)); };
  let [cumR, cumC, ks, area, before, mean, squares] = [0, 0, 0, 0, NaN, 0, 0];
  const deciles: [number, number][] = [[0, 0]];
  for (const bin of bins) {
    const v = value(bin);
    if (!Number.isNaN(before)) area += Math.abs(cumR - cumC) * (v - before);
    before = v;
    const [p, q] = [(reference.get(bin)?.rows ?? 0) / m, (current.get(bin)?.rows ?? 0) / n];
    mean += p * v;
    squares += p * v * v;
    if (Math.floor(cumR * 10 + 1e-9) > deciles.length - 1) deciles.push([0, 0]);
    deciles.at(-1)![0] += p;
    deciles.at(-1)![1] += q;
    cumR += p;
    cumC += q;
    ks = Math.max(ks, Math.abs(cumR - cumC));
  }
  let [js, psi] = [0, 0];
  for (const [p, q] of deciles) {
    const middle = (p + q) / 2;
    if (p > 0) js += (p * Math.log2(p / middle)) / 2;
    if (q > 0) js += (q * Math.log2(q / middle)) / 2;
    psi += ((p || 1e-4) - (q || 1e-4)) * Math.log((p || 1e-4) / (q || 1e-4));
  }
  return { ks, js: Math.sqrt(Math.max(0, js)), psi, wasserstein: area / Math.max(0.001, Math.sqrt(Math.max(0, squares - mean * mean))), n, m };
}

interface Outcome { looks: number; alarms: number[]; again: number; evidently: number; evidentlyColumns: number; psi: number; firstEvidently: number }

function watchYear(days: readonly Histogram[][], from: number): Outcome {
  const references = FEATURES.map((_, f) => merged(days, TRAINED_FROM, TRAINED_TO, f));
  const past: PastLook[] = [];
  let watch: Watch = NEW_WATCH;
  const outcome: Outcome = { looks: 0, alarms: [], again: 0, evidently: 0, evidentlyColumns: 0, psi: 0, firstEvidently: NaN };
  for (let day = TRAINED_TO + 2 * WINDOW; day <= days.length; day++) {
    const window = { from: START + (day - WINDOW) * DAY, to: START + day * DAY };
    const measurements: Measurement[] = [];
    let [moved, psi] = [0, 0];
    for (const [f, feature] of FEATURES.entries()) {
      const now = merged(days, day - WINDOW, day, f);
      const against: [DriftBasis, ReturnType<typeof distances>][] = [['reference', distances(references[f]!, now)], ['previous', distances(merged(days, day - 2 * WINDOW, day - WINDOW, f), now)]];
      for (const [basis, { ks, js, n, m }] of against)
        for (const [statistic, value] of [['ks', ks], ['jensen_shannon', js]] as [DriftStatistic, number][])
          measurements.push({ feature, segment: '', against: basis, statistic, value, baseline: 0, p: null, degrees: 0, n, n_reference: m });
      if (against[0]![1].wasserstein >= 0.1) moved++;
      if (against[0]![1].psi >= 0.2) psi++;
    }
    const judged = judge(window, measurements, past.filter((look) => isUsual(look, window, watch, []) && look.to > window.to - POLICY.windowMs * (POLICY.historyWindows + 1)), POLICY);
    const next = step(watch, window, judged, POLICY);
    watch = next.change === 'raised' || next.change === 'again' ? answered(next.watch, 'retrain', window.to) : next.watch;
    past.push({ ...window, measurements });
    if (day < from) continue;
    outcome.looks++;
    if (next.change === 'raised') outcome.alarms.push(day);
    if (next.change === 'again') outcome.again++;
    if (moved >= FEATURES.length / 2) { outcome.evidently++; if (Number.isNaN(outcome.firstEvidently)) outcome.firstEvidently = day; }
    if (moved > 0) outcome.evidentlyColumns++;
    if (psi > 0) outcome.psi++;
  }
  return outcome;
}

for (const seed of SEEDS) {
  const { looks, alarms, again, evidently, evidentlyColumns, psi } = watchYear(simulate(seed, YEAR_END), 0);
  console.log(JSON.stringify({ bench: 'drift-verdicts, no change', seed, looks, false_alarms: alarms.length, on_days: alarms, asked_again: again, allowed: Number((looks / 90).toFixed(1)), looks_evidently_dataset: evidently, looks_evidently_any_column: evidentlyColumns, looks_psi_any_feature: psi }));
}
for (const shift of SHIFTS) {
  const [what, factor] = shift.split(' ');
  const regime: RegimeShift = { at_ms: START + SHIFT_DAY * DAY, visit_rate_factor: what === 'visits' ? Number(factor) : 1, order_value_factor: what === 'amounts' ? Number(factor) : 1, drift_hazard_factor: 1 };
  const { alarms } = watchYear(simulate(SEEDS[0]!, SHIFT_DAY + SHIFT_LOOKS, regime), SHIFT_DAY);
  console.log(JSON.stringify({ bench: 'drift-verdicts, change', shift, seed: SEEDS[0], delay_days: alarms[0] === undefined ? null : alarms[0] - SHIFT_DAY, looks: SHIFT_LOOKS }));
}
