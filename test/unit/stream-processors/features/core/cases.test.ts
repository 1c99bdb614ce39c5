import t from 'tap';
import { customerActivity } from '../../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../../schemas/features/derive.js';
import type { EventType } from '../../../../../schemas/events/customer-event.js';
import { compileReducer } from '../../../../../stream-processors/features/core/reducer.js';
import { difference, take } from '../../../../support/features.js';
import { Oracle, type OracleEvent } from '../../../../support/oracle.js';

/** Computed by hand from the view's definition; each is held against reducer and oracle. */
const H = 3_600_000;
const D = 86_400_000;
const T0 = Date.UTC(2025, 5, 15, 12); // noon
const N = NaN;
type Row = [type: EventType, atMs: number, amount?: number | null, id?: string];

const base: Record<string, number> = {
  events_24h: 1, events_7d: 1, events_30d: 1, purchases_7d: 0, purchases_30d: 0, purchases_90d: 0, spend_7d: 0, spend_30d: 0, spend_90d: 0,
  refunds_90d: 0, tickets_30d: 0, carts_7d: 0, active_days_30d: 1, tenure_days: 0, days_since_last_purchase: N, purchase_gap_mean_days: N,
  purchase_gap_std_days: N, order_value_mean: N, order_value_std: N, last_order_value: N,
};
const bought = { purchases_7d: 1, purchases_30d: 1, purchases_90d: 1, spend_7d: 10, spend_30d: 10, spend_90d: 10, days_since_last_purchase: 0, order_value_mean: 10, last_order_value: 10 };

const cases: { name: string; events: Row[]; outcomes?: number[]; clock?: number; want: Record<string, number> }[] = [
  { name: 'one login', events: [['login', T0]], want: {} },
  { name: 'one purchase: no gap and no deviation yet', events: [['purchase', T0, 10]], want: bought },
  { name: 'a purchase without amount counts, and is no order value', events: [['purchase', T0]], want: { ...bought, spend_7d: 0, spend_30d: 0, spend_90d: 0, order_value_mean: N, last_order_value: N } },
  { name: 'a purchase of 0 is an order value', events: [['purchase', T0, 0]], want: { ...bought, spend_7d: 0, spend_30d: 0, spend_90d: 0, order_value_mean: 0, last_order_value: 0 } },
  {
    name: 'a later purchase without amount makes a gap and leaves the last order value',
    events: [['purchase', T0, 10], ['purchase', T0 + 2 * D]],
    want: { ...bought, events_24h: 1, events_7d: 2, events_30d: 2, purchases_7d: 2, purchases_30d: 2, purchases_90d: 2, active_days_30d: 2, tenure_days: 2, purchase_gap_mean_days: 2 },
  },
  {
    name: 'three purchases: gaps of 1 and 3 days; orders of 10, 20, 60',
    events: [['purchase', T0, 10], ['purchase', T0 + D, 20], ['purchase', T0 + 4 * D, 60]],
    want: {
      events_7d: 3, events_30d: 3, purchases_7d: 3, purchases_30d: 3, purchases_90d: 3, spend_7d: 90, spend_30d: 90, spend_90d: 90, active_days_30d: 3, tenure_days: 4,
      days_since_last_purchase: 0, purchase_gap_mean_days: 2, purchase_gap_std_days: 1, order_value_mean: 30, order_value_std: Math.sqrt((400 + 100 + 900) / 3), last_order_value: 60,
    },
  },
  {
    name: 'a late purchase counts and sums, makes no gap and does not become the last',
    events: [['purchase', T0, 10], ['purchase', T0 + 4 * D, 30], ['purchase', T0 + D, 50]],
    want: {
      events_7d: 3, events_30d: 3, purchases_7d: 3, purchases_30d: 3, purchases_90d: 3, spend_7d: 90, spend_30d: 90, spend_90d: 90, active_days_30d: 3, tenure_days: 4,
      days_since_last_purchase: 0, purchase_gap_mean_days: 4, order_value_mean: 30, order_value_std: Math.sqrt((400 + 0 + 400) / 3), last_order_value: 30,
    },
  },
  { name: 'two purchases in one millisecond: a gap of 0', events: [['purchase', T0, 10], ['purchase', T0, 30]],
    want: { events_24h: 2, events_7d: 2, events_30d: 2, purchases_7d: 2, purchases_30d: 2, purchases_90d: 2, spend_7d: 40, spend_30d: 40, spend_90d: 40,
      days_since_last_purchase: 0, purchase_gap_mean_days: 0, order_value_mean: 20, order_value_std: 10, last_order_value: 30 } },
  { name: 'refunds are counted and not taken off', events: [['purchase', T0, 10], ['refund', T0 + H, 10]],
    want: { ...bought, events_24h: 2, events_7d: 2, events_30d: 2, refunds_90d: 1, tenure_days: 1 / 24, days_since_last_purchase: 1 / 24 } },
  { name: '24 hours are hour buckets: the 24th back is in, the 25th is out', events: [['login', T0 - 24 * H], ['login', T0 - 23 * H], ['login', T0]],
    want: { events_24h: 2, events_7d: 3, events_30d: 3, active_days_30d: 2, tenure_days: 1 } },
  { name: '7 days are day buckets: the 7th back is in whole, the 8th is out', events: [['add_to_cart', T0 - 7 * D + 11 * H], ['add_to_cart', T0 - 6 * D - 12 * H], ['login', T0]],
    want: { events_7d: 2, events_30d: 3, carts_7d: 1, active_days_30d: 3, tenure_days: 6 + 13 / 24 } },
  { name: 'tickets of 30 days, carts of 7', events: [['support_ticket', T0 - 30 * D], ['support_ticket', T0 - 29 * D], ['add_to_cart', T0]],
    want: { events_7d: 1, events_30d: 2, tickets_30d: 1, carts_7d: 1, active_days_30d: 2, tenure_days: 30 } },
  { name: 'an event 90 days back is too late and changes nothing; 89 is taken', events: [['login', T0], ['purchase', T0 - 90 * D, 10], ['login', T0 - 89 * D - 12 * H]], outcomes: [0, 2, 0],
    want: { tenure_days: 89.5 } },
  { name: 'the same event again is dropped', events: [['purchase', T0, 10, 'a'], ['purchase', T0, 10, 'a']], outcomes: [0, 1], want: bought },
  { name: 'a duplicate may claim another time: it is dropped all the same', events: [['login', T0, null, 'a'], ['purchase', T0 + 50 * D, 10, 'a']], outcomes: [0, 1], want: {} },
  { name: 'the same id after 32 other records is a new event', outcomes: [...new Array<number>(33).fill(0), 0],
    events: [['login', T0, null, 'a'], ...Array.from({ length: 32 }, (): Row => ['login', T0]), ['login', T0, null, 'a']], want: { events_24h: 34, events_7d: 34, events_30d: 34 } },
  { name: 'and after 31 it is a duplicate', outcomes: [...new Array<number>(32).fill(0), 1],
    events: [['login', T0, null, 'a'], ...Array.from({ length: 31 }, (): Row => ['login', T0]), ['login', T0, null, 'a']], want: { events_24h: 32, events_7d: 32, events_30d: 32 } },
  { name: 'duplicates and late records count among the 32', outcomes: [0, 0, 1, 2, ...new Array<number>(29).fill(0), 0],
    events: [['login', T0, null, 'a'], ['login', T0, null, 'b'], ['login', T0, null, 'b'], ['login', T0 - 95 * D], ...Array.from({ length: 29 }, (): Row => ['login', T0]), ['login', T0, null, 'a']],
    want: { events_24h: 32, events_7d: 32, events_30d: 32 } },
  { name: 'a sweep 8 days later: windows move, times grow', events: [['purchase', T0, 10]], clock: T0 + 8 * D,
    want: { ...bought, events_24h: 0, events_7d: 0, purchases_7d: 0, spend_7d: 0, tenure_days: 8, days_since_last_purchase: 8 } },
  { name: 'a sweep 91 days later: only what is for life is left', events: [['purchase', T0, 10]], clock: T0 + 91 * D,
    want: { events_24h: 0, events_7d: 0, events_30d: 0, active_days_30d: 0, tenure_days: 91, days_since_last_purchase: 91, order_value_mean: 10, last_order_value: 10 } },
  { name: 'a clock before the latest event changes nothing', events: [['purchase', T0, 10]], clock: T0 - 5 * D, want: bought },
];

const names = featureNames(customerActivity);
for (const { name, events, outcomes = events.map(() => 0), clock = 0, want } of cases)
  t.test(name, async (t) => {
    const reducer = compileReducer(customerActivity);
    const oracle = new Oracle(customerActivity);
    const state = reducer.create();
    const got = events.map(([event_type, event_time, amount = null, event_id], i) => {
      const event: OracleEvent = { event_id: event_id ?? `e${i}`, customer_id: 'c', event_type, event_time, amount, quantity: null };
      oracle.take(event);
      return take(reducer, state, event);
    });
    t.same(got, outcomes, 'outcomes');
    const wanted = names.map((feature) => ({ ...base, ...want })[feature]!);
    const out = new Float64Array(names.length);
    reducer.vector(state, clock, out, 0);
    t.equal(difference(names, out, wanted), undefined, 'reducer');
    t.equal(difference(names, oracle.vector('c', clock), wanted), undefined, 'oracle');
  });
