import { EVENT_TYPES } from '../../../schemas/events/customer-event.js';
import { hashId } from '../../../schemas/events/hash-id.js';
import { binOf } from '../../../schemas/drift/bins.js';
import { customerActivity as view } from '../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../schemas/features/derive.js';
import { compileReducer, type State } from '../../../stream-processors/features/core/reducer.js';
import { DEFAULT_SIMULATION, type RegimeShift } from '../../../stream-processors/sources/core/simulation-parameters.js';
import { Simulator } from '../../../stream-processors/sources/core/simulator.js';

export const DAY = 86_400_000;
export const START = Date.UTC(2023, 0, 1);
export const FEATURES = featureNames(view);
export const HORIZON_DAYS = 30;
export type Histogram = Map<number, { rows: number; total: number }>;

/** What is scored on a day: vectors after events and in the sweep, in order. */
export interface ShopRows {
  /** rows × features. */
  readonly values: number[];
  readonly customers: number[];
  readonly on_event: number[];
  /** Epoch milliseconds. */
  readonly at: number[];
}

export interface Shop {
  /** Of each feature, by day. */
  readonly histograms: readonly (readonly Histogram[])[];
  readonly rows: readonly ShopRows[];
  readonly customers: number;
  /** 1 where no purchase follows within the horizon; defined for all rows. */
  labelOf(customer: number, at: number): number;
}

interface Customer { readonly number: number; state: State; sweepAt: number }

/** The simulated shop's days [from, days): the processor's own reducer over its events, a sweep a day, and what customers bought a horizon on. */
export function simulateShop(seed: number, from: number, days: number, regime?: RegimeShift): Shop {
  const simulator = new Simulator({ ...DEFAULT_SIMULATION, start_ms: START, seed, ...(regime === undefined ? {} : { regime }) });
  const reducer = compileReducer(view);
  const customers = new Map<string, Customer>();
  const purchases: number[][] = [];
  const histograms = Array.from({ length: days }, () => FEATURES.map((): Histogram => new Map()));
  const rows = Array.from({ length: days }, (): ShopRows => ({ values: [], customers: [], on_event: [], at: [] }));
  const vector = new Float64Array(FEATURES.length);
  const end = START + days * DAY;
  const emit = (customer: Customer, clockMs: number, on_event: number): void => {
    const day = Math.floor((clockMs - START) / DAY);
    if (day < from || day >= days) return;
    reducer.vector(customer.state, clockMs, vector, 0);
    const of = rows[day]!;
    of.customers.push(customer.number);
    of.on_event.push(on_event);
    of.at.push(clockMs);
    for (const [f, value] of vector.entries()) {
      of.values.push(value);
      const histogram = histograms[day]![f]!;
      const cell = histogram.get(binOf(value));
      if (cell === undefined) histogram.set(binOf(value), { rows: 1, total: value });
      else { cell.rows++; cell.total += value; }
    }
  };
  const sweep = (customer: Customer, until: number): void => { for (; customer.sweepAt <= until; customer.sweepAt += DAY) emit(customer, customer.sweepAt, 0); };
  for (let event = simulator.next(); event !== undefined && event.event_time < end + HORIZON_DAYS * DAY; event = simulator.next()) {
    let customer = customers.get(event.customer_id);
    if (customer === undefined) {
      customers.set(event.customer_id, (customer = { number: customers.size, state: reducer.create(), sweepAt: Infinity }));
      purchases.push([]);
    }
    if (event.event_type === 'purchase') purchases[customer.number]!.push(event.event_time);
    if (event.event_time >= end) continue;
    sweep(customer, event.event_time - 1);
    if (reducer.update(customer.state, EVENT_TYPES.indexOf(event.event_type), event.amount ?? NaN, event.quantity ?? NaN, event.event_time, hashId(event.event_id)) !== 0) continue;
    emit(customer, event.event_time, 1);
    customer.sweepAt = reducer.latestMs(customer.state) + DAY;
  }
  for (const customer of customers.values()) sweep(customer, end - 1);
  return {
    histograms, rows, customers: customers.size,
    labelOf: (customer, at) => (purchases[customer]!.some((time) => time > at && time <= at + HORIZON_DAYS * DAY) ? 0 : 1),
  };
}
