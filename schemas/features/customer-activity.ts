import { count, days, distinctDays, gapMean, gapStd, hours, last, lifetime, mean, std, sum, tenure, timeSince } from './declaration.js';
import { defineView } from './validate.js';

const purchase = 'purchase';

/** The default view: what a customer did lately, how they buy, and how long they have been silent. */
export const customerActivity = defineView({
  name: 'customer_activity',
  version: 1,
  dedupeRecords: 32,
  features: [
    count('events_24h', 'events of the last 24 hours', { over: hours(24) }),
    count('events_7d', 'events of the last 7 days', { over: days(7) }),
    count('events_30d', 'events of the last 30 days', { over: days(30) }),
    count('purchases_7d', 'purchases of the last 7 days', { of: purchase, over: days(7) }),
    count('purchases_30d', 'purchases of the last 30 days', { of: purchase, over: days(30) }),
    count('purchases_90d', 'purchases of the last 90 days', { of: purchase, over: days(90) }),
    sum('spend_7d', 'money spent in the last 7 days; refunds are not taken off', { of: purchase, value: 'amount', over: days(7) }),
    sum('spend_30d', 'money spent in the last 30 days', { of: purchase, value: 'amount', over: days(30) }),
    sum('spend_90d', 'money spent in the last 90 days', { of: purchase, value: 'amount', over: days(90) }),
    count('refunds_90d', 'refunds of the last 90 days', { of: 'refund', over: days(90) }),
    count('tickets_30d', 'support tickets of the last 30 days', { of: 'support_ticket', over: days(30) }),
    count('carts_7d', 'additions to the cart in the last 7 days', { of: 'add_to_cart', over: days(7) }),
    distinctDays('active_days_30d', 'days with an event among the last 30', { over: days(30) }),
    tenure('tenure_days', 'days since the first event', {}),
    timeSince('days_since_last_purchase', 'days since the latest purchase', { of: purchase }),
    gapMean('purchase_gap_mean_days', 'mean days between consecutive purchases', { of: purchase, over: lifetime }),
    gapStd('purchase_gap_std_days', 'standard deviation of the days between consecutive purchases', { of: purchase, over: lifetime }),
    mean('order_value_mean', 'mean amount of a purchase', { of: purchase, value: 'amount', over: lifetime }),
    std('order_value_std', 'standard deviation of the amounts of purchases', { of: purchase, value: 'amount', over: lifetime }),
    last('last_order_value', 'amount of the latest purchase', { of: purchase, value: 'amount' }),
  ],
});
