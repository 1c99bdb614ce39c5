import type { AggregateFeature, Feature, FeatureView } from '../declaration.js';
import type { EventType } from '../../events/customer-event.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The event types of which the order matters to some feature (last, gaps): each gets its columns in the history. */
export interface Sequence {
  readonly of: readonly EventType[] | null;
  readonly follows: string;
  readonly gap: string;
}

export function sequencesOf(view: FeatureView): Sequence[] {
  const found = new Map<string, Sequence>();
  for (const feature of view.features)
    if (feature.aggregate === 'last' || feature.aggregate === 'gap_mean' || feature.aggregate === 'gap_std') {
      const key = keyOf(feature.of);
      if (!found.has(key)) found.set(key, { of: feature.of, follows: `_follows_${found.size}`, gap: `_gap_days_${found.size}` });
    }
  return [...found.values()];
}

const keyOf = (of: readonly EventType[] | null): string => (of === null ? '*' : [...of].sort().join());

/** Whether a row's type counts; `1` for every type. */
export const matches = (of: readonly EventType[] | null): string =>
  of === null ? '1' : of.length === 1 ? `_type = '${of[0]}'` : `_type IN (${of.map((type) => `'${type}'`).join(', ')})`;

/** One feature over the joined rows of a spine row (history columns, `_clock` its T), as a Float64. */
export function aggregateSql(feature: AggregateFeature, sequences: readonly Sequence[]): string {
  const match = matches(feature.of);
  const value = `_${feature.value ?? ''}`;
  const sequence = sequences.find(({ of }) => keyOf(of) === keyOf(feature.of));
  const unit = feature.unit === 'hours' ? HOUR_MS : DAY_MS;
  const where = (...more: string[]): string => [match, ...windowOf(feature), ...more].filter((part) => part !== '1').join(' AND ') || '1';
  const valued = where(`NOT isNaN(${value})`);
  const gapped = where(`NOT isNaN(${sequence?.gap})`);
  const orNaN = (some: string, expression: string, least = 1): string =>
    some === '1' ? expression : `if(countIf(${some}) < ${least}, nan, ${expression})`;
  switch (feature.aggregate) {
    case 'count': return `toFloat64(countIf(${where()}))`;
    case 'sum': return `sumIf(${value}, ${valued})`;
    case 'mean': return orNaN(valued, `avgIf(${value}, ${valued})`);
    case 'std': return orNaN(valued, `stddevPopStableIf(${value}, ${valued})`, 2);
    case 'min': return orNaN(valued, `minIf(${value}, ${valued})`);
    case 'max': return orNaN(valued, `maxIf(${value}, ${valued})`);
    case 'last': return orNaN(`${sequence?.follows} AND ${valued}`, `argMaxIf(${value}, _offset, ${sequence?.follows} AND ${valued})`);
    case 'distinct_days': return `toFloat64(uniqExactIf(_day, ${where()}))`;
    case 'time_since': return orNaN(match, `(_clock - maxIf(_ms, ${match})) / ${unit}`);
    case 'tenure': return orNaN(match, `(_clock - minIf(_ms, ${match})) / ${unit}`);
    case 'gap_mean': return orNaN(gapped, `avgIf(${sequence?.gap}, ${gapped})`);
    case 'gap_std': return orNaN(gapped, `stddevPopStableIf(${sequence?.gap}, ${gapped})`, 2);
  }
}

function windowOf({ window }: AggregateFeature): string[] {
  if (window.unit === 'lifetime') return [];
  return [window.unit === 'days' ? `_day > _clock_day - ${window.size}` : `_hour > _clock_hour - ${window.size}`];
}

/** A feature of the outermost SELECT: ratios divide what the aggregation gave. */
export const outerSql = (feature: Feature): string =>
  feature.aggregate === 'ratio'
    ? `if(${feature.denominator} = 0, nan, ${feature.numerator} / ${feature.denominator}) AS ${feature.name}`
    : feature.name;
