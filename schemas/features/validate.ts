import { EVENT_TYPES } from '../events/customer-event.js';
import { AGGREGATES, type AggregateFeature, type FeatureView, type Window } from './declaration.js';
import { RESERVED_NAMES } from './reserved.js';

export const VIEW_BOUNDS = { features_max: 500, hours_max: 240, days_max: 730, dedupe_records_max: 256 } as const;

/** A declaration that cannot be compiled; `problems` lists everything that is wrong with it. */
export class FeatureViewError extends Error {
  override readonly name = 'FeatureViewError';
  constructor(view: string, readonly problems: readonly string[]) {
    super(`feature view ${view}: ${problems.join('; ')}`);
  }
}

/**
 * Checks a declaration and freezes it.
 * @throws FeatureViewError with every problem at once
 */
export function defineView(view: FeatureView): FeatureView {
  const problems = viewProblems(view);
  if (problems.length > 0) throw new FeatureViewError(view.name, problems);
  return Object.freeze({ ...view, features: Object.freeze(view.features.map((feature) => Object.freeze({ ...feature }))) });
}

/** Everything that is wrong with a declaration, in words; empty for a good one. */
export function viewProblems(view: FeatureView): string[] {
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(view.name)) problems.push(`name '${view.name}' must match [a-z][a-z0-9_]*, at most 63 characters`);
  if (!isWhole(view.version, 1, 2 ** 31 - 1)) problems.push(`version is ${view.version}, must be a whole number from 1`);
  if (!isWhole(view.dedupeRecords, 0, VIEW_BOUNDS.dedupe_records_max))
    problems.push(`dedupeRecords is ${view.dedupeRecords}, must be a whole number from 0 to ${VIEW_BOUNDS.dedupe_records_max}`);
  const size = view.features.length;
  if (size < 1 || size > VIEW_BOUNDS.features_max) problems.push(`${size} features declared, must be 1 to ${VIEW_BOUNDS.features_max}`);

  const seen = new Set<string>();
  for (const { name, description } of view.features) {
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) problems.push(`feature '${name}': the name must match [a-z][a-z0-9_]*, at most 63 characters`);
    else if (RESERVED_NAMES.has(name)) problems.push(`feature '${name}': the name belongs to a column of features or predictions; choose another`);
    if (seen.has(name)) problems.push(`feature '${name}' is declared twice`);
    seen.add(name);
    if (description.trim() === '') problems.push(`feature '${name}': describe it in a few words`);
  }
  const plain = new Set(view.features.filter((f) => f.aggregate !== 'ratio').map((f) => f.name));
  for (const feature of view.features) {
    const found: string[] = [];
    if (feature.aggregate !== 'ratio') checkAggregate(feature, found);
    else for (const part of [feature.numerator, feature.denominator]) {
      if (!seen.has(part)) found.push(`no feature '${part}' to take a ratio of; declared are ${[...plain].join(', ')}`);
      else if (!plain.has(part)) found.push(`'${part}' is a ratio itself; take the ratio of two other features`);
    }
    problems.push(...found.map((problem) => `feature '${feature.name}': ${problem}`));
  }
  return problems;
}

const VALUED = new Set(['sum', 'mean', 'std', 'min', 'max', 'last']);
const LIFETIME_ONLY = new Set(['last', 'time_since', 'tenure']);

function checkAggregate(feature: AggregateFeature, found: string[]): void {
  const { aggregate, of, value, window, unit } = feature;
  if (!(AGGREGATES as readonly string[]).includes(aggregate)) {
    found.push(`unknown aggregate '${aggregate}'; known are ${AGGREGATES.join(', ')}, ratio`);
    return;
  }
  if (of !== null) {
    if (of.length === 0) found.push(`'of' names no event type; leave it out for every type`);
    for (const type of of)
      if (!(EVENT_TYPES as readonly string[]).includes(type)) found.push(`unknown event type '${type}'; known are ${EVENT_TYPES.join(', ')}`);
    if (new Set(of).size !== of.length) found.push(`'of' names an event type twice`);
  }
  if (VALUED.has(aggregate) && value !== 'amount' && value !== 'quantity')
    found.push(`${aggregate} needs a value, 'amount' or 'quantity', got ${value === null ? 'none' : `'${String(value)}'`}`);
  if (!VALUED.has(aggregate) && value !== null) found.push(`${aggregate} takes no value`);
  if ((aggregate === 'time_since' || aggregate === 'tenure') && unit !== 'days' && unit !== 'hours')
    found.push(`unit is '${String(unit)}', must be 'days' or 'hours'`);
  checkWindow(window, found);
  if (LIFETIME_ONLY.has(aggregate) && window.unit !== 'lifetime') found.push(`${aggregate} takes no window: it looks at the whole history`);
  if (aggregate === 'distinct_days' && window.unit !== 'days') found.push('distinct_days needs a window of days');
}

function checkWindow(window: Window, found: string[]): void {
  switch (window.unit) {
    case 'lifetime': return;
    case 'hours':
    case 'days': {
      const most = window.unit === 'hours' ? VIEW_BOUNDS.hours_max : VIEW_BOUNDS.days_max;
      if (!isWhole(window.size, 1, most)) found.push(`a window of ${window.size} ${window.unit}: must be a whole number from 1 to ${most}`);
      return;
    }
    default: found.push(`unknown window unit '${String((window as { unit: unknown }).unit)}'; use hours(n), days(n) or lifetime`);
  }
}

const isWhole = (n: number, from: number, to: number): boolean => Number.isInteger(n) && n >= from && n <= to;
