import type { DriftBasis, DriftStatistic, Measurement } from '../../schemas/drift/measurement.js';
import { loadSettings } from '../../runtime/settings.js';
import { judge, type PastLook, type Policy } from '../../stream-processors/drift/core/judge.js';
import { NEW_WATCH, answered, step, usualLooks, type Watch } from '../../stream-processors/drift/core/watch.js';
import type { RegimeShift } from '../../stream-processors/sources/core/simulation-parameters.js';
import { domainClassifier } from '../../trainer/domain.js';
import { loadXgboost } from '../../trainer/xgboost/library.js';
import { distances, merged } from './verdicts/distances.js';
import { dailyLosses, watchLabels } from './verdicts/performance.js';
import { DAY, FEATURES, simulateShop, START, type Shop } from './verdicts/shop.js';
import { sampleOf, togetherOf } from './verdicts/together.js';

/**
 * False alarms in a simulated year without change, and the delay for planted changes: the verdicts' own core over daily looks
 * at weekly windows of a simulated shop, events and sweeps: single features, all of them together (TOGETHER_ROWS; 0: not), and
 * performance as labels come a horizon later, by a model of the shop's own; beside Evidently's defaults (normed Wasserstein 0.1 a column, half of
 * the columns a data set) and PSI 0.2 on the same windows. Statistics are taken over the bins of feature_hours.
 */
const list = (name: string, preset: string): string[] => (process.env[name] ?? preset).split(',').filter((one) => one !== '');
const SEEDS = list('SEEDS', '1,2,3').map(Number);
const SHIFTS = list('SHIFTS', 'visits 0.9,visits 0.8,visits 0.7,amounts 1.1,amounts 1.2,amounts 1.3');
const SHIFT_SEEDS = list('SHIFT_SEEDS', String(SEEDS[0] ?? 1)).map(Number);
const TOGETHER_ROWS = Number(process.env['TOGETHER_ROWS'] ?? 2000);
const THREADS = 2;
const [TRAINED_FROM, TRAINED_TO, WINDOW, YEAR_END, SHIFT_DAY, SHIFT_LOOKS] = [120, 180, 7, 180 + 365, 380, 60];
const HOLDOUT = { from: TRAINED_TO, to: TRAINED_TO + WINDOW };
const POLICY: Policy = {
  kind: 'budget', falseAlarmDays: 90, stepDays: 1, windowMs: WINDOW * DAY, stepMs: DAY, calibrationWindows: 4, historyWindows: 12,
  effectMin: 0.025, rowsMin: 200, psiMax: 0.2, persistence: 3, cooldownMs: 14 * DAY, askAgainMs: 30 * DAY,
};
const library = await loadXgboost(loadSettings());
const classify = domainClassifier(library, THREADS);

interface Outcome { looks: number; alarms: number[]; again: number; evidently: number; evidentlyColumns: number; psi: number }

/** @param measuredTogether what is measured of all features together, by day */
async function watchYear(shop: Shop, from: number, measuredTogether: ReadonlyMap<number, readonly Measurement[]>): Promise<Outcome> {
  const days = shop.histograms;
  const references = FEATURES.map((_, f) => merged(days, TRAINED_FROM, TRAINED_TO, f));
  const past: PastLook[] = [];
  let watch: Watch = NEW_WATCH;
  const outcome: Outcome = { looks: 0, alarms: [], again: 0, evidently: 0, evidentlyColumns: 0, psi: 0 };
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
    measurements.push(...measuredTogether.get(day) ?? []);
    const judged = judge(window, measurements, usualLooks(past, window, watch, [], POLICY), POLICY);
    const next = step(watch, window, judged, POLICY);
    watch = next.change === 'raised' || next.change === 'again' ? answered(next.watch, 'retrain', window.to) : next.watch;
    past.push({ ...window, measurements });
    if (day < from) continue;
    outcome.looks++;
    if (next.change === 'raised') outcome.alarms.push(day);
    if (next.change === 'again') outcome.again++;
    if (moved >= FEATURES.length / 2) outcome.evidently++;
    if (moved > 0) outcome.evidentlyColumns++;
    if (psi > 0) outcome.psi++;
  }
  return outcome;
}

/** At each look, as the service measures it. */
async function togetherByDay(shop: Shop, seed: number): Promise<Map<number, Measurement[]>> {
  const found = new Map<number, Measurement[]>();
  if (TOGETHER_ROWS === 0) return found;
  const training = sampleOf(shop, TRAINED_FROM, TRAINED_TO, TOGETHER_ROWS, seed);
  for (let day = TRAINED_TO + 2 * WINDOW; day <= shop.rows.length; day++) {
    const [window, before] = [sampleOf(shop, day - WINDOW, day, TOGETHER_ROWS, seed), sampleOf(shop, day - 2 * WINDOW, day - WINDOW, TOGETHER_ROWS, seed)];
    found.set(day, await togetherOf(classify, window, [['reference', training], ['previous', before]], seed));
  }
  return found;
}

async function labelsOf(shop: Shop, from: number): Promise<number[]> {
  // a model of the first month, so that its labels end where it begins to serve
  const losses = await dailyLosses(library, shop, { from: TRAINED_FROM, to: TRAINED_TO - 30 }, TRAINED_TO, THREADS);
  return watchLabels(losses, { ...POLICY, lossIncreaseMin: 0.05 }, WINDOW, POLICY.historyWindows, HOLDOUT.to, HOLDOUT).filter((day) => day >= from);
}

for (const seed of SEEDS) {
  const shop = simulateShop(seed, TRAINED_FROM, YEAR_END);
  const alone = await watchYear(shop, 0, new Map());
  const together = await watchYear(shop, 0, await togetherByDay(shop, seed));
  const labels = await labelsOf(shop, 0);
  console.log(JSON.stringify({
    bench: 'drift-verdicts, no change', seed, looks: alone.looks, allowed: Number((alone.looks / 90).toFixed(1)), false_alarms: alone.alarms, asked_again: alone.again, with_multivariate: together.alarms, performance: labels,
    looks_evidently_dataset: alone.evidently, looks_evidently_any_column: alone.evidentlyColumns, looks_psi_any_feature: alone.psi,
  }));
}
for (const shift of SHIFTS)
  for (const seed of SHIFT_SEEDS) {
    const [what, factor] = shift.split(' ');
    const regime: RegimeShift = { at_ms: START + SHIFT_DAY * DAY, visit_rate_factor: what === 'visits' ? Number(factor) : 1, order_value_factor: what === 'amounts' ? Number(factor) : 1, drift_hazard_factor: what === 'leaving' ? Number(factor) : 1 };
    const shop = simulateShop(seed, TRAINED_FROM, SHIFT_DAY + SHIFT_LOOKS, regime);
    const delay = (days: readonly number[]): number | null => (days[0] === undefined ? null : days[0] - SHIFT_DAY);
    const alone = await watchYear(shop, SHIFT_DAY, new Map());
    const together = await watchYear(shop, SHIFT_DAY, await togetherByDay(shop, seed));
    console.log(JSON.stringify({ bench: 'drift-verdicts, change', shift, seed, looks: SHIFT_LOOKS, delay_days: delay(alone.alarms), with_multivariate: delay(together.alarms), performance: delay(await labelsOf(shop, SHIFT_DAY)) }));
  }
