import type { Finding, TriageInput } from './aggregates.js';
import { deadProducer } from './dead-producer.js';
import { nullBurst } from './null-burst.js';
import { timeZoneShift } from './time-zone.js';
import { unitChange } from './unit-change.js';

const RULES = [nullBurst, unitChange, timeZoneShift, deadProducer];

/**
 * What is broken in the data of late, channel by channel; what is broken in the same way in all of them at once is one
 * finding of channel ''.
 */
export function findDataBugs(input: TriageInput): Finding[] {
  const channels = [...new Set(input.hours.map(({ channel }) => channel))].sort();
  return RULES.flatMap((rule) => {
    const found = channels.flatMap((channel) => rule(input, channel) ?? []);
    if (found.length === 0) return [];
    if (channels.length > 1 && found.length < channels.length) {
      // A channel too small to tell by itself does not make a bug of everything one of a few channels.
      const rows = (of: ReadonlySet<string>): number => input.hours.filter(({ channel, hour }) => hour < input.since && of.has(channel)).reduce((sum, hour) => sum + hour.rows, 0);
      if (rows(new Set(found.map(({ channel }) => channel))) < 0.9 * rows(new Set(channels))) return found;
    }
    return overlap(found) ? [rule(together(input), '') ?? joined(found)] : found;
  });
}

const overlap = (found: readonly Finding[]): boolean => Math.max(...found.map(({ from }) => from)) < Math.min(...found.map(({ to }) => to));

function joined(found: readonly Finding[]): Finding {
  const strongest = found.reduce((a, b) => (a.evidence >= b.evidence ? a : b));
  return { ...strongest, channel: '', from: Math.min(...found.map(({ from }) => from)), to: Math.max(...found.map(({ to }) => to)), rows: found.reduce((sum, { rows }) => sum + rows, 0) };
}

/** All channels as one. */
function together(input: TriageInput): TriageInput {
  const hours = new Map<number, TriageInput['hours'][number]>();
  for (const hour of input.hours) {
    const sum = hours.get(hour.hour);
    hours.set(hour.hour, sum === undefined ? { ...hour, channel: '' } : {
      hour: hour.hour, channel: '', rows: sum.rows + hour.rows, money_rows: sum.money_rows + hour.money_rows,
      amount_rows: sum.amount_rows + hour.amount_rows, amount_total: sum.amount_total + hour.amount_total,
    });
  }
  const arrivals = new Map<number, TriageInput['arrivals'][number]>();
  for (const hour of input.arrivals) {
    const largest = arrivals.get(hour.hour);
    if (largest === undefined || hour.rows > largest.rows) arrivals.set(hour.hour, { ...hour, channel: '' });
  }
  return {
    ...input,
    hours: [...hours.values()].sort((a, b) => a.hour - b.hour),
    arrivals: [...arrivals.values()].sort((a, b) => a.hour - b.hour),
    broken: input.broken.map((span) => ({ ...span, channel: '' })),
  };
}
