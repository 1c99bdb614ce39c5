import { HOUR_MS, isBroken, recentHours, usualHours, type Finding, type TriageInput } from './aggregates.js';
import { percent } from './null-burst.js';
import { strongestRun } from './scan.js';

/** A producer that is dead still lets one in fifty of its events through (another instance, a retry). */
const LEFT = 0.02;
/** Days of history that a rate by the hour of the day needs. */
const DAYS_MIN = 3;
const DAY_H = 24;

/** A channel, or everything, that has fallen silent. */
export function deadProducer(input: TriageInput, channel: string): Finding | undefined {
  const begins = Math.min(...input.hours.filter(({ channel: of }) => of === channel).map(({ hour }) => hour));
  if (!Number.isFinite(begins)) return undefined;
  const rows = new Map(usualHours(input, channel).map((hour) => [hour.hour, hour.rows]));
  const [sums, counts] = [new Float64Array(DAY_H), new Float64Array(DAY_H)];
  for (let hour = Math.max(input.from, begins); hour < input.since; hour += HOUR_MS) {
    if (isBroken(input, hour, channel)) continue;
    sums[hourOfDay(hour)]! += rows.get(hour) ?? 0;
    counts[hourOfDay(hour)]!++;
  }
  if (counts.some((count) => count < DAYS_MIN)) return undefined;
  const rate = sums.map((sum, i) => sum / counts[i]!);
  // Visits come as several events: counts vary more than a Poisson's, and the evidence is worth as much less.
  let [pearson, cells] = [0, 0];
  for (let hour = Math.max(input.from, begins); hour < input.since; hour += HOUR_MS) {
    const expected = rate[hourOfDay(hour)]!;
    if (expected === 0 || isBroken(input, hour, channel)) continue;
    pearson += ((rows.get(hour) ?? 0) - expected) ** 2 / expected;
    cells++;
  }
  const dispersion = Math.max(1, pearson / Math.max(1, cells - DAY_H));
  const recent = new Map(recentHours(input, channel).map((hour) => [hour.hour, hour.rows]));
  const scored: { hour: number; score: number }[] = [];
  for (let hour = input.since; hour < input.to; hour += HOUR_MS) {
    const expected = rate[hourOfDay(hour)]!;
    scored.push({ hour, score: ((recent.get(hour) ?? 0) * Math.log(LEFT) + (1 - LEFT) * expected) / dispersion });
  }
  const run = strongestRun(scored);
  if (run === undefined) return undefined;
  let [seen, expected] = [0, 0];
  for (let hour = run.from; hour < run.to; hour += HOUR_MS) {
    seen += recent.get(hour) ?? 0;
    expected += rate[hourOfDay(hour)]!;
  }
  return {
    ...run, cause: 'dead_producer', channel, value: seen / expected, usual: 1, rows: seen,
    sentence: `${seen} events in ${(run.to - run.from) / HOUR_MS} h, ${percent(seen / expected)} of the usual ${expected.toFixed(0)}`,
  };
}

const hourOfDay = (hour: number): number => Math.floor(hour / HOUR_MS) % DAY_H;
