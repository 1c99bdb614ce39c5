export const HOUR_MS = 3_600_000;

/** One hour of event time of one channel: the sums of event_hours. */
export interface ChannelHour {
  /** Epoch milliseconds. */
  readonly hour: number;
  readonly channel: string;
  readonly rows: number;
  /** Purchases and refunds, and those of them with an amount. */
  readonly money_rows: number;
  readonly amount_rows: number;
  readonly amount_total: number;
}

/** How far arrival (Kafka's stamp) was behind event time in an hour of a channel, milliseconds. */
export interface ArrivalHour {
  readonly hour: number;
  readonly channel: string;
  readonly rows: number;
  readonly lag_median_ms: number;
}

/** What triage looks at: [from, to), of which the part before `since` is taken as usual, hours of quarantine left out. */
export interface TriageInput {
  readonly from: number;
  readonly since: number;
  readonly to: number;
  readonly hours: readonly ChannelHour[];
  readonly arrivals: readonly ArrivalHour[];
  /** Hours that are known to be broken: no measure of what is usual. */
  readonly broken: readonly { readonly from: number; readonly to: number; readonly channel: string }[];
}

export const BUG_CAUSES = ['null_burst', 'unit_change', 'time_zone_shift', 'dead_producer'] as const;
export type BugCause = (typeof BUG_CAUSES)[number];

/** A piece of event time in which data is broken. */
export interface Finding {
  readonly cause: BugCause;
  /** Empty: all channels. */
  readonly channel: string;
  readonly from: number;
  readonly to: number;
  /** The figure that tells: share of missing amounts, factor, hours, share of the usual rows. */
  readonly value: number;
  /** The same figure as usual. */
  readonly usual: number;
  /** Logarithm of the likelihood ratio of broken against usual, nats. */
  readonly evidence: number;
  readonly rows: number;
  readonly sentence: string;
}

/** The usual part, without what is known to be broken. */
export function usualHours(input: TriageInput, channel: string): ChannelHour[] {
  return input.hours.filter(({ hour, channel: of }) => of === channel && hour < input.since && !isBroken(input, hour, channel));
}

export const recentHours = (input: TriageInput, channel: string): ChannelHour[] => input.hours.filter(({ hour, channel: of }) => of === channel && hour >= input.since);

export const isBroken = (input: TriageInput, hour: number, channel: string): boolean =>
  input.broken.some((span) => hour >= span.from && hour < span.to && (span.channel === '' || span.channel === channel));

export const total = (hours: readonly ChannelHour[], field: 'rows' | 'money_rows' | 'amount_rows' | 'amount_total'): number => hours.reduce((sum, hour) => sum + hour[field], 0);
