import { HOUR_MS, isBroken, recentHours, total, usualHours, type Finding, type TriageInput } from './aggregates.js';
import { strongestRun } from './scan.js';

const DAY_H = 24;
const DAYS_MIN = 3;
/** Zones are whole half hours apart. */
const ZONE_STEP_MS = HOUR_MS / 2;
const ZONE_MS_MAX = 14 * HOUR_MS;
/** How steady arrival must be for a shift of it to be seen, and how near to a zone's the shift. */
const STEADY_MS = 10 * 60_000;
const ARRIVALS_MIN = 12;
/** One hour is what summer time does to an honest clock in UTC. */
const ROTATION_H_MIN = 2;

/** Events whose time was written in another zone. */
export const timeZoneShift = (input: TriageInput, channel: string): Finding | undefined => byArrival(input, channel) ?? byRhythm(input, channel);

/** In a live stream events arrive soon after they happen: a zone's offset shows in the lag of arrival, whatever the rhythm. */
function byArrival(input: TriageInput, channel: string): Finding | undefined {
  const of = input.arrivals.filter((hour) => hour.channel === channel);
  const usual = of.filter(({ hour }) => hour < input.since && !isBroken(input, hour, channel)).map(({ lag_median_ms }) => lag_median_ms).sort((a, b) => a - b);
  if (usual.length < ARRIVALS_MIN) return undefined;
  const level = usual[usual.length >> 1]!;
  const spread = usual.map((lag) => Math.abs(lag - level)).sort((a, b) => a - b)[Math.floor(usual.length * 0.9)]!;
  if (spread > STEADY_MS) return undefined;
  const recent = of.filter(({ hour }) => hour >= input.since);
  const zones = new Set(recent.map(({ lag_median_ms }) => Math.round((lag_median_ms - level) / ZONE_STEP_MS) * ZONE_STEP_MS).filter((zone) => zone !== 0 && Math.abs(zone) <= ZONE_MS_MAX));
  let best: Finding | undefined;
  for (const zone of zones) {
    const hits = (lag: number): boolean => Math.abs(lag - level - zone) <= STEADY_MS;
    const run = strongestRun(recent.map(({ hour, rows, lag_median_ms }) => ({ hour, score: Math.min(rows, 5) * (hits(lag_median_ms) ? 1 : -1) })));
    if (run === undefined || run.evidence <= (best?.evidence ?? 0)) continue;
    const rows = recent.filter(({ hour, lag_median_ms }) => hour >= run.from && hour < run.to && hits(lag_median_ms)).reduce((sum, hour) => sum + hour.rows, 0);
    best = { ...run, cause: 'time_zone_shift', channel, value: -zone / HOUR_MS, usual: 0, rows, sentence: `event times are ${hoursText(-zone / HOUR_MS)} off: ${rows} events arrived ${hoursText(zone / HOUR_MS)} later than usual after them` };
  }
  return best;
}

/** The day's rhythm, moved by some hours. */
function byRhythm(input: TriageInput, channel: string): Finding | undefined {
  const usual = usualHours(input, channel);
  const days = (input.since - Math.max(input.from, Math.min(...usual.map(({ hour }) => hour)))) / (DAY_H * HOUR_MS);
  if (!(days >= DAYS_MIN)) return undefined;
  const rate = new Float64Array(DAY_H);
  for (const { hour, rows } of usual) rate[hourOfDay(hour)]! += rows / days;
  if (rate.some((value) => value === 0)) return undefined;
  const counts = usual.map(({ hour, rows }) => ({ rows, expected: rate[hourOfDay(hour)]! }));
  const dispersion = Math.max(1, counts.reduce((sum, { rows, expected }) => sum + (rows - expected) ** 2 / expected, 0) / Math.max(1, counts.length - DAY_H));
  const recent = new Map(recentHours(input, channel).map((hour) => [hour.hour, hour]));
  let best: Finding | undefined;
  for (let shift = -11; shift <= 12; shift++) {
    if (Math.abs(shift) < ROTATION_H_MIN) continue;
    const moved = (hour: number): number => rate[(hourOfDay(hour) - shift + 2 * DAY_H) % DAY_H]!;
    const scored: { hour: number; score: number }[] = [];
    for (let hour = input.since; hour < input.to; hour += HOUR_MS) {
      const [as, is] = [moved(hour), rate[hourOfDay(hour)]!];
      scored.push({ hour, score: ((recent.get(hour)?.rows ?? 0) * Math.log(as / is) - (as - is)) / dispersion });
    }
    const run = strongestRun(scored);
    // Less than a whole day of another rhythm is a quiet night or a busy morning.
    if (run === undefined || run.to - run.from < DAY_H * HOUR_MS || run.evidence <= (best?.evidence ?? 0)) continue;
    const inside = [...recent.values()].filter(({ hour }) => hour >= run.from && hour < run.to);
    const rows = total(inside, 'rows');
    // Another zone moves events, it neither adds nor takes them.
    let expected = 0;
    for (let hour = run.from; hour < run.to; hour += HOUR_MS) expected += moved(hour);
    if (rows < 0.5 * expected || rows > 2 * expected) continue;
    best = { ...run, cause: 'time_zone_shift', channel, value: shift, usual: 0, rows, sentence: `the day's rhythm of ${rows} events is ${hoursText(shift)} later than usual` };
  }
  return best;
}

const hourOfDay = (hour: number): number => Math.floor(hour / HOUR_MS) % DAY_H;
const hoursText = (hours: number): string => `${hours < 0 ? '−' : ''}${Math.abs(hours)} h`;
