-- How many rows the spine of a training set would have, by bucket of customers (the first ten bits of the id's hash):
-- snapshots, moments of events, and the events that would be worked on.
SELECT toUInt16(_bucket) AS bucket, sum(_snapshots) AS snapshots, sum(_moments) AS moments, sum(_events) AS events
FROM
(
  SELECT
    intDiv(cityHash64(customer_id), 18014398509481984) AS _bucket,
    greatest(toUnixTimestamp64Milli(min(event_time)), {train_after:Int64} + 1) AS _from,
    {holdout_to:Int64} - toInt64(cityHash64('snapshot', customer_id) % {step_ms:UInt64}) AS _last,
    arrayCount(
      t -> t <= {train_to:Int64} OR t > {holdout_after:Int64},
      arrayMap(i -> _last - toInt64(i) * {step_ms:Int64}, range(toUInt32(if(_last < _from, 0, intDiv(_last - _from, {step_ms:Int64}) + 1))))) AS _snapshots,
    countIf(
      (event_time > fromUnixTimestamp64Milli({train_after:Int64}) AND event_time <= fromUnixTimestamp64Milli({train_to:Int64}))
      OR (event_time > fromUnixTimestamp64Milli({holdout_after:Int64}) AND event_time <= fromUnixTimestamp64Milli({holdout_to:Int64}))) AS _moments,
    count() AS _events
  FROM events
  GROUP BY customer_id
)
GROUP BY bucket
ORDER BY bucket
