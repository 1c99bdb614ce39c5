-- Features of view customer_activity, version 1, for every customer as of clock_ms (epoch ms; 0: each customer's latest event).
-- Generated from the view's declaration: change that, then run UPDATE_GENERATED=1 node dist/test/contract/generated-files.test.js
WITH
-- Records in arrival order, numbered within the customer.
_records AS (
  SELECT
    customer_id, event_id, toString(event_type) AS _type,
    ifNull(toFloat64(amount), nan) AS _amount, ifNull(toFloat64(quantity), nan) AS _quantity,
    toInt64(toUnixTimestamp64Milli(event_time)) AS _ms, toInt64(kafka_offset) AS _offset,
    row_number() OVER (PARTITION BY customer_id ORDER BY kafka_offset) AS _number
  FROM `events`
),
-- A record is a duplicate when its event_id stands on one of the customer's 32 records before it.
_numbered AS (
  SELECT *, lagInFrame(_number, 1, 0) OVER (
    PARTITION BY customer_id, event_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _same_id_before
  FROM _records
),
_unique AS (
  SELECT *, intDiv(_ms, 3600000) AS _hour, intDiv(_ms, 86400000) AS _day, max(_ms) OVER (
    PARTITION BY customer_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS _latest_before
  FROM _numbered
  WHERE NOT (_same_id_before > 0 AND _number - _same_id_before <= 32)
),
-- Accepted events. Too late: on a day at or before the latest accepted one's, less 90 (a late event never is the latest). Where order matters: does the event follow all before it, and after how long?
_accepted AS (
  SELECT *, greatest(_ms, _latest_before) AS _latest,
    maxIf(_ms, _type = 'purchase') OVER (
      PARTITION BY customer_id ORDER BY _offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS _before_0
  FROM _unique
  WHERE NOT (_day <= intDiv(_latest_before, 86400000) - 90)
),
_history AS (
  SELECT customer_id, _ms, _hour, _day, _offset, _type, _amount, _quantity, _latest,
    (_type = 'purchase') AND _ms >= _before_0 AS _follows_0,
    if(_follows_0 AND _before_0 > 0, (_ms - _before_0) / 86400000, nan) AS _gap_days_0
  FROM _accepted
),
_spine AS (
  SELECT customer_id, max(toInt64(kafka_offset)) AS as_of_offset, {clock_ms:Int64} AS as_of_ms
  FROM `events`
  GROUP BY customer_id
),
-- T of each spine row: the later of its clock and the customer's latest accepted event by then.
_clocks AS (
  SELECT _spine.customer_id AS customer_id, _spine.as_of_offset AS as_of_offset, _spine.as_of_ms AS as_of_ms,
    greatest(_latest, _spine.as_of_ms) AS _clock, intDiv(_clock, 3600000) AS _clock_hour, intDiv(_clock, 86400000) AS _clock_day
  FROM _spine ASOF INNER JOIN (SELECT customer_id, _offset, _latest FROM _history) AS _h
    ON _spine.customer_id = _h.customer_id AND _spine.as_of_offset >= _h._offset
),
_joined AS (
  SELECT _clocks.customer_id AS customer_id, as_of_offset, as_of_ms, _clock, _clock_hour, _clock_day, _ms, _hour, _day, _offset, _type, _amount, _quantity, _follows_0, _gap_days_0
  FROM _clocks INNER JOIN _history ON _clocks.customer_id = _history.customer_id
  WHERE _offset <= as_of_offset
),
_aggregated AS (
  SELECT customer_id, as_of_offset, as_of_ms,
    toFloat64(countIf(_hour > _clock_hour - 24)) AS events_24h,
    toFloat64(countIf(_day > _clock_day - 7)) AS events_7d,
    toFloat64(countIf(_day > _clock_day - 30)) AS events_30d,
    toFloat64(countIf(_type = 'purchase' AND _day > _clock_day - 7)) AS purchases_7d,
    toFloat64(countIf(_type = 'purchase' AND _day > _clock_day - 30)) AS purchases_30d,
    toFloat64(countIf(_type = 'purchase' AND _day > _clock_day - 90)) AS purchases_90d,
    sumIf(_amount, _type = 'purchase' AND _day > _clock_day - 7 AND NOT isNaN(_amount)) AS spend_7d,
    sumIf(_amount, _type = 'purchase' AND _day > _clock_day - 30 AND NOT isNaN(_amount)) AS spend_30d,
    sumIf(_amount, _type = 'purchase' AND _day > _clock_day - 90 AND NOT isNaN(_amount)) AS spend_90d,
    toFloat64(countIf(_type = 'refund' AND _day > _clock_day - 90)) AS refunds_90d,
    toFloat64(countIf(_type = 'support_ticket' AND _day > _clock_day - 30)) AS tickets_30d,
    toFloat64(countIf(_type = 'add_to_cart' AND _day > _clock_day - 7)) AS carts_7d,
    toFloat64(uniqExactIf(_day, _day > _clock_day - 30)) AS active_days_30d,
    (_clock - minIf(_ms, 1)) / 86400000 AS tenure_days,
    if(countIf(_type = 'purchase') < 1, nan, (_clock - maxIf(_ms, _type = 'purchase')) / 86400000) AS days_since_last_purchase,
    if(countIf(_type = 'purchase' AND NOT isNaN(_gap_days_0)) < 1, nan, avgIf(_gap_days_0, _type = 'purchase' AND NOT isNaN(_gap_days_0))) AS purchase_gap_mean_days,
    if(countIf(_type = 'purchase' AND NOT isNaN(_gap_days_0)) < 2, nan, stddevPopStableIf(_gap_days_0, _type = 'purchase' AND NOT isNaN(_gap_days_0))) AS purchase_gap_std_days,
    if(countIf(_type = 'purchase' AND NOT isNaN(_amount)) < 1, nan, avgIf(_amount, _type = 'purchase' AND NOT isNaN(_amount))) AS order_value_mean,
    if(countIf(_type = 'purchase' AND NOT isNaN(_amount)) < 2, nan, stddevPopStableIf(_amount, _type = 'purchase' AND NOT isNaN(_amount))) AS order_value_std,
    if(countIf(_follows_0 AND _type = 'purchase' AND NOT isNaN(_amount)) < 1, nan, argMaxIf(_amount, _offset, _follows_0 AND _type = 'purchase' AND NOT isNaN(_amount))) AS last_order_value
  FROM _joined
  GROUP BY customer_id, as_of_offset, as_of_ms, _clock, _clock_hour, _clock_day
)
SELECT
  customer_id, as_of_offset, as_of_ms,
  events_24h,
  events_7d,
  events_30d,
  purchases_7d,
  purchases_30d,
  purchases_90d,
  spend_7d,
  spend_30d,
  spend_90d,
  refunds_90d,
  tickets_30d,
  carts_7d,
  active_days_30d,
  tenure_days,
  days_since_last_purchase,
  purchase_gap_mean_days,
  purchase_gap_std_days,
  order_value_mean,
  order_value_std,
  last_order_value
FROM _aggregated
