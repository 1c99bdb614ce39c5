import { recentHours, total, usualHours, type ChannelHour, type Finding, type TriageInput } from './aggregates.js';
import { strongestRun } from './scan.js';

/** What amounts are multiplied by when cents are sent for euros, or the other way round, or thousandths. */
const FACTORS = [100, 0.01, 1000, 0.001];
/** The whole run's mean must be as far from usual as the factor says, within this. */
const FACTOR_TOLERANCE = 1.7;
/** Standard deviation of one amount's logarithm, at least; real shops have 0.5 to 1.5. */
const SIGMA_MIN = 0.8;
const HOURS_MIN = 5;

const meanOf = (hour: Pick<ChannelHour, 'amount_rows' | 'amount_total'>): number => hour.amount_total / hour.amount_rows;

/** Amounts in another unit: all of an hour's amounts a hundred or a thousand times what is usual. */
export function unitChange(input: TriageInput, channel: string): Finding | undefined {
  const usual = usualHours(input, channel).filter(({ amount_rows, amount_total }) => amount_rows > 0 && amount_total > 0);
  if (usual.length < HOURS_MIN) return undefined;
  const level = total(usual, 'amount_total') / total(usual, 'amount_rows');
  // What one amount spreads, from how means of n of them spread around the level.
  const sigma = Math.max(SIGMA_MIN, Math.sqrt(usual.reduce((sum, hour) => sum + hour.amount_rows * Math.log(meanOf(hour) / level) ** 2, 0) / usual.length));
  const recent = recentHours(input, channel).filter(({ amount_rows, amount_total }) => amount_rows > 0 && amount_total > 0);
  let best: Finding | undefined;
  for (const factor of FACTORS) {
    const shift = Math.log(factor);
    const run = strongestRun(recent.map((hour) => {
      const away = Math.log(meanOf(hour) / level);
      return { hour: hour.hour, score: (hour.amount_rows * (away ** 2 - (away - shift) ** 2)) / (2 * sigma ** 2) };
    }));
    if (run === undefined || run.evidence <= (best?.evidence ?? 0)) continue;
    const inside = recent.filter(({ hour }) => hour >= run.from && hour < run.to);
    const rows = total(inside, 'amount_rows');
    const value = total(inside, 'amount_total') / rows;
    if (Math.abs(Math.log(value / level / factor)) > Math.log(FACTOR_TOLERANCE)) continue;
    const said = factor > 1 ? `×${factor}` : `÷${Math.round(1 / factor)}`;
    best = {
      ...run, cause: 'unit_change', channel, value, usual: level, rows,
      sentence: `amounts are ${said}: ${rows} of them have a mean of ${value.toPrecision(4)}, usually ${level.toPrecision(4)}`,
    };
  }
  return best;
}
