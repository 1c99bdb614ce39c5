import { count, days, distinctDays, gapMean, gapStd, hours, last, lifetime, max, mean, min, ratio, std, sum, tenure, timeSince } from '../../schemas/features/declaration.js';
import { defineView } from '../../schemas/features/validate.js';

/** Every aggregate over every kind of window, filter and value: what the default view leaves out. */
export const everyAggregate = defineView({
  name: 'every_aggregate',
  version: 3,
  dedupeRecords: 7,
  features: [
    ratio('purchase_share_10d', 'a ratio declared before its parts', { numerator: 'purchases_10d', denominator: 'events_10d' }),
    count('events_6h', 'x', { over: hours(6) }),
    count('buying_40h', 'x', { of: ['purchase', 'add_to_cart'], over: hours(40) }),
    count('buying_40h_again', 'the same filter spelt the other way round', { of: ['add_to_cart', 'purchase'], over: hours(40) }),
    count('events_10d', 'x', { over: days(10) }),
    count('purchases_10d', 'x', { of: 'purchase', over: days(10) }),
    count('events_ever', 'x', { over: lifetime }),
    sum('quantity_1d', 'x', { value: 'quantity', over: days(1) }),
    sum('spend_ever', 'x', { of: 'purchase', value: 'amount', over: lifetime }),
    sum('spend_12h', 'x', { of: 'purchase', value: 'amount', over: hours(12) }),
    mean('amount_mean_10d', 'x', { of: 'purchase', value: 'amount', over: days(10) }),
    std('amount_std_10d', 'x', { of: 'purchase', value: 'amount', over: days(10) }),
    std('amount_std_3d', 'x', { of: 'purchase', value: 'amount', over: days(3) }),
    mean('quantity_mean_20h', 'x', { value: 'quantity', over: hours(20) }),
    std('quantity_std_ever', 'x', { value: 'quantity', over: lifetime }),
    min('amount_min_10d', 'x', { value: 'amount', over: days(10) }),
    max('amount_max_10d', 'x', { value: 'amount', over: days(10) }),
    max('amount_max_2d', 'x', { value: 'amount', over: days(2) }),
    min('quantity_min_6h', 'x', { of: 'purchase', value: 'quantity', over: hours(6) }),
    min('amount_min_ever', 'x', { value: 'amount', over: lifetime }),
    max('quantity_max_ever', 'x', { value: 'quantity', over: lifetime }),
    last('last_amount', 'x', { value: 'amount' }),
    last('last_cart_quantity', 'x', { of: 'add_to_cart', value: 'quantity' }),
    distinctDays('active_days_10d', 'x', { over: days(10) }),
    distinctDays('buying_days_20d', 'x', { of: 'purchase', over: days(20) }),
    timeSince('hours_since_login', 'x', { of: 'login', in: 'hours' }),
    timeSince('days_since_any', 'x', {}),
    tenure('buyer_tenure_days', 'x', { of: 'purchase' }),
    gapMean('gap_mean_10d', 'x', { over: days(10) }),
    gapStd('gap_std_20d', 'x', { of: ['purchase', 'refund'], over: days(20) }),
    gapMean('gap_mean_30h', 'x', { over: hours(30) }),
    gapStd('gap_std_ever', 'x', {}),
    ratio('max_over_min', 'x', { numerator: 'amount_max_10d', denominator: 'amount_min_10d' }),
  ],
});

/** Hours only: a horizon that is not a number of days. */
export const hoursOnly = defineView({
  name: 'hours_only', version: 1, dedupeRecords: 0,
  features: [count('events_24h', 'x', { over: hours(24) }), sum('spend_25h', 'x', { value: 'amount', over: hours(25) })],
});

/** No window at all: nothing is ever too late. */
export const lifetimeOnly = defineView({
  name: 'lifetime_only', version: 1, dedupeRecords: 1,
  features: [mean('amount_mean', 'x', { value: 'amount', over: lifetime }), tenure('tenure_hours', 'x', { in: 'hours' }), timeSince('since', 'x', { of: 'refund' })],
});
