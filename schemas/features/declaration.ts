import type { EventType } from '../events/customer-event.js';

/**
 * The language a feature view is declared in. From one declaration come the processor's state and reducer, the Avro
 * schemas, the ClickHouse columns and the SQL that computes the same values from the landed events.
 *
 * With h(t) = floor(t / 3600000), d(t) = floor(t / 86400000) and T = the largest event time accepted for the customer
 * (in a sweep the later of that and the clock): a window of N hours holds the events of hours (h(T)-N, h(T)], a window of
 * N days those of days (d(T)-N, d(T)].
 */
export type Window =
  | { readonly unit: 'hours' | 'days'; readonly size: number }
  | { readonly unit: 'lifetime' };

/** The number an event carries that an aggregate computes with; events without it are left out of the aggregate. */
export type ValueField = 'amount' | 'quantity';
export type TimeUnit = 'hours' | 'days';

export const AGGREGATES = [
  'count', 'sum', 'mean', 'std', 'min', 'max', 'last', 'distinct_days', 'time_since', 'tenure', 'gap_mean', 'gap_std',
] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export interface AggregateFeature {
  readonly name: string;
  readonly description: string;
  readonly aggregate: Aggregate;
  /** Event types that count; null: every type. */
  readonly of: readonly EventType[] | null;
  /** What sum, mean, std, min, max and last compute with; null for the others. */
  readonly value: ValueField | null;
  readonly window: Window;
  /** Unit of time_since and tenure; null for the others. */
  readonly unit: TimeUnit | null;
}

export interface RatioFeature {
  readonly name: string;
  readonly description: string;
  readonly aggregate: 'ratio';
  /** Names of two features of the same view that are not ratios themselves. */
  readonly numerator: string;
  readonly denominator: string;
}

export type Feature = AggregateFeature | RatioFeature;

export interface FeatureView {
  readonly name: string;
  /** Raised with every change of the features' list or meaning; a model is fed no other version than it was trained on. */
  readonly version: number;
  /** A record is dropped when its event_id stands on one of the customer's preceding records, this many of them. */
  readonly dedupeRecords: number;
  readonly features: readonly Feature[];
}

export const hours = (size: number): Window => ({ unit: 'hours', size });
export const days = (size: number): Window => ({ unit: 'days', size });
export const lifetime: Window = { unit: 'lifetime' };

type Of = { readonly of?: EventType | readonly EventType[] };
type Over = { readonly over: Window };
type Value = { readonly value: ValueField };
type In = { readonly in?: TimeUnit };

function feature(aggregate: Aggregate, name: string, description: string, o: Of & Partial<Over & Value> & In): AggregateFeature {
  const timed = aggregate === 'time_since' || aggregate === 'tenure';
  const of = o.of === undefined ? null : typeof o.of === 'string' ? [o.of] : o.of;
  return { name, description, aggregate, of, value: o.value ?? null, window: o.over ?? lifetime, unit: timed ? (o.in ?? 'days') : null };
}

/** Number of events. */
export const count = (name: string, description: string, o: Of & Over): AggregateFeature => feature('count', name, description, o);
/** Sum of the values; 0 where there is none. */
export const sum = (name: string, description: string, o: Of & Over & Value): AggregateFeature => feature('sum', name, description, o);
/** Mean of the values; NaN where there is none. */
export const mean = (name: string, description: string, o: Of & Over & Value): AggregateFeature => feature('mean', name, description, o);
/** Population standard deviation of the values; NaN under two. */
export const std = (name: string, description: string, o: Of & Over & Value): AggregateFeature => feature('std', name, description, o);
/** Smallest value; NaN where there is none. */
export const min = (name: string, description: string, o: Of & Over & Value): AggregateFeature => feature('min', name, description, o);
/** Largest value; NaN where there is none. */
export const max = (name: string, description: string, o: Of & Over & Value): AggregateFeature => feature('max', name, description, o);
/**
 * Value of the last event in arrival order whose time was not before an earlier arrival's; a late event changes nothing,
 * nor does one without the value. NaN where there is none.
 */
export const last = (name: string, description: string, o: Of & Value): AggregateFeature => feature('last', name, description, o);
/** Number of days with at least one event; needs a window of days. */
export const distinctDays = (name: string, description: string, o: Of & Over): AggregateFeature => feature('distinct_days', name, description, o);
/** Time from the latest event to T; NaN where there is none. */
export const timeSince = (name: string, description: string, o: Of & In): AggregateFeature => feature('time_since', name, description, o);
/** Time from the earliest event to T; NaN where there is none. */
export const tenure = (name: string, description: string, o: Of & In): AggregateFeature => feature('tenure', name, description, o);
/**
 * Mean time between consecutive events, days. An event whose time is at or after the latest one's makes a gap, which
 * belongs to that event's bucket; a late event makes none. NaN where there is no gap.
 */
export const gapMean = (name: string, description: string, o: Of & Partial<Over>): AggregateFeature => feature('gap_mean', name, description, o);
/** Population standard deviation of the gaps of `gapMean`, days; NaN under two gaps. */
export const gapStd = (name: string, description: string, o: Of & Partial<Over>): AggregateFeature => feature('gap_std', name, description, o);
/** One feature over another; NaN where either is NaN or the denominator is 0. */
export const ratio = (name: string, description: string, o: { readonly numerator: string; readonly denominator: string }): RatioFeature =>
  ({ name, description, aggregate: 'ratio', numerator: o.numerator, denominator: o.denominator });
