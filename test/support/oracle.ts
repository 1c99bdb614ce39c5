import type { CustomerEvent } from '../../schemas/events/customer-event.js';
import type { AggregateFeature, FeatureView } from '../../schemas/features/declaration.js';

const HOUR = 3_600_000;
const DAY = 86_400_000;

export type OracleEvent = Pick<CustomerEvent, 'event_id' | 'customer_id' | 'event_type' | 'amount' | 'quantity' | 'event_time'>;
export type OracleOutcome = 'accepted' | 'duplicate' | 'too late';

/**
 * The slow, obvious meaning of a feature view: keeps every event of every customer and computes each feature by looking
 * through all of them. It shares nothing with the reducer and the SQL but the declaration.
 */
export class Oracle {
  private readonly customers = new Map<string, { ids: string[]; accepted: OracleEvent[] }>();
  constructor(private readonly view: FeatureView) {}

  /** Takes one record in arrival order. */
  take(event: OracleEvent): OracleOutcome {
    let customer = this.customers.get(event.customer_id);
    if (customer === undefined) this.customers.set(event.customer_id, customer = { ids: [], accepted: [] });
    const recent = this.view.dedupeRecords === 0 ? [] : customer.ids.slice(-this.view.dedupeRecords);
    customer.ids.push(event.event_id);
    if (recent.includes(event.event_id)) return 'duplicate';
    const latest = latestOf(customer.accepted);
    if (Math.floor(event.event_time / DAY) <= Math.floor(latest / DAY) - horizonOf(this.view)) return 'too late';
    customer.accepted.push(event);
    return 'accepted';
  }

  customerIds(): string[] {
    return [...this.customers.keys()];
  }

  /** The customer's features as of the later of their latest event and the clock, in the view's order. */
  vector(customerId: string, clockMs = 0): number[] {
    const events = this.customers.get(customerId)!.accepted;
    const T = Math.max(latestOf(events), clockMs);
    const value = (name: string): number => {
      const feature = this.view.features.find((f) => f.name === name)!;
      if (feature.aggregate !== 'ratio') return compute(feature, events, T);
      const below = value(feature.denominator);
      return below === 0 ? NaN : value(feature.numerator) / below;
    };
    return this.view.features.map((feature) => value(feature.name));
  }
}

const latestOf = (events: readonly OracleEvent[]): number => events.reduce((latest, event) => Math.max(latest, event.event_time), 0);

/** Over all hours of a day that T may stand in: how many days a window reaches back, its first day included. */
function horizonOf(view: FeatureView): number {
  let horizon = 0;
  for (const feature of view.features) {
    if (feature.aggregate === 'ratio' || feature.window.unit === 'lifetime') continue;
    const size = feature.window.size;
    if (feature.window.unit === 'days') horizon = Math.max(horizon, size);
    else for (let hour = 0; hour < 24; hour++) horizon = Math.max(horizon, 1 - Math.floor((hour - (size - 1)) / 24));
  }
  return horizon === 0 ? Infinity : horizon;
}

function compute(feature: AggregateFeature, all: readonly OracleEvent[], T: number): number {
  const matching = all.filter((event) => feature.of === null || feature.of.includes(event.event_type));
  const inWindow = (event: OracleEvent): boolean => {
    if (feature.window.unit === 'lifetime') return true;
    const unit = feature.window.unit === 'hours' ? HOUR : DAY;
    return Math.floor(event.event_time / unit) > Math.floor(T / unit) - feature.window.size;
  };
  const events = matching.filter(inWindow);
  const valueOf = (event: OracleEvent): number | null => (feature.value === 'quantity' ? event.quantity : event.amount);
  const values = events.map(valueOf).filter((v) => v !== null);
  // The events that do not come before an earlier arrival's time: each but the first makes a gap, the last is the last.
  let latest = 0;
  const inOrder = matching.filter((event) => event.event_time >= latest && (latest = event.event_time) > 0);
  const gaps = inOrder.flatMap((event, i) => (i > 0 && inWindow(event) ? [(event.event_time - inOrder[i - 1]!.event_time) / DAY] : []));
  const unit = feature.unit === 'hours' ? HOUR : DAY;
  switch (feature.aggregate) {
    case 'count': return events.length;
    case 'sum': return total(values);
    case 'mean': return meanOf(values);
    case 'std': return stdOf(values);
    case 'min': return values.length > 0 ? Math.min(...values) : NaN;
    case 'max': return values.length > 0 ? Math.max(...values) : NaN;
    case 'distinct_days': return new Set(events.map((event) => Math.floor(event.event_time / DAY))).size;
    case 'last': return inOrder.map(valueOf).findLast((v) => v !== null) ?? NaN;
    case 'time_since': return matching.length > 0 ? (T - latestOf(matching)) / unit : NaN;
    case 'tenure': return matching.length > 0 ? (T - Math.min(...matching.map((event) => event.event_time))) / unit : NaN;
    case 'gap_mean': return meanOf(gaps);
    case 'gap_std': return stdOf(gaps);
  }
}

const meanOf = (values: readonly number[]): number => (values.length > 0 ? total(values) / values.length : NaN);

function stdOf(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const centre = meanOf(values);
  return Math.sqrt(total(values.map((value) => (value - centre) ** 2)) / values.length);
}

/** Neumaier's compensated sum. */
function total(values: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}
