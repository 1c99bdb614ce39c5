-- Through which channel the events came that held-out rows of a training set stand on: the last one to arrive where a
-- customer has several at the same moment. Snapshots between events have none.
SELECT customer_id, _latest AS at, argMax(_channel, kafka_offset) AS channel
FROM (
  SELECT
    customer_id, event_id, channel AS _channel, kafka_offset,
    max(toUnixTimestamp64Milli(event_time)) OVER (PARTITION BY customer_id ORDER BY kafka_offset) AS _latest
  FROM events
  WHERE intDiv(cityHash64(customer_id), 18014398509481984) < {buckets:UInt16} AND cityHash64(customer_id) % {shards:UInt32} = {shard:UInt32}
)
WHERE _latest > {holdout_after:Int64} AND _latest <= {holdout_to:Int64} AND cityHash64('event', event_id) % 1000000 < {events_ppm:UInt32} AND _channel != ''
GROUP BY customer_id, _latest
