-- One shard of a training set, in its canonical order: the features as the model takes them (float32), and whether the
-- customer churned, which is that no purchase follows within the horizon. The features are the view’s own SQL over the spine of moments.
WITH
_features AS (
__FEATURES__
),
_arrivals AS (
  SELECT
    customer_id, toInt64(kafka_offset) AS _offset,
    max(toUnixTimestamp64Milli(event_time)) OVER (PARTITION BY customer_id ORDER BY kafka_offset) AS _latest
  FROM {events:Identifier}
  WHERE cityHash64(customer_id) % {shards:UInt32} = {shard:UInt32}
),
_purchases AS (
  SELECT customer_id, arraySort(groupArray(toUnixTimestamp64Milli(event_time))) AS _times
  FROM {events:Identifier}
  WHERE event_type = 'purchase' AND cityHash64(customer_id) % {shards:UInt32} = {shard:UInt32}
  GROUP BY customer_id
)
SELECT
  _features.customer_id AS customer_id,
  if(as_of_ms = 0, _latest, as_of_ms) AS at,
  toUInt8(as_of_ms = 0) AS on_event,
  toUInt8(NOT arrayExists(t -> t > at AND t <= at + {horizon_ms:Int64}, _times)) AS churned,
  __COLUMNS__
FROM _features
LEFT JOIN _arrivals ON _features.customer_id = _arrivals.customer_id AND _features.as_of_offset = _arrivals._offset
LEFT JOIN _purchases ON _features.customer_id = _purchases.customer_id
ORDER BY at, customer_id, on_event, as_of_offset
