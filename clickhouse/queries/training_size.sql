-- How many rows the spine of a training set would have over all customers: snapshots, and moments of events.
SELECT snapshots, moments
FROM
(
  SELECT count() AS snapshots
  FROM (
    SELECT
      customer_id,
      greatest(toUnixTimestamp64Milli(min(event_time)), {train_after:Int64} + 1) AS _from,
      {holdout_to:Int64} - toInt64(cityHash64('snapshot', customer_id) % {step_ms:UInt64}) AS _last
    FROM {events:Identifier}
    GROUP BY customer_id
  )
  ARRAY JOIN arrayMap(i -> _last - toInt64(i) * {step_ms:Int64}, range(toUInt32(if(_last < _from, 0, intDiv(_last - _from, {step_ms:Int64}) + 1)))) AS _at
  WHERE _at <= {train_to:Int64} OR _at > {holdout_after:Int64}
) AS _snapshots,
(
  SELECT count() AS moments
  FROM {events:Identifier}
  WHERE (event_time > fromUnixTimestamp64Milli({train_after:Int64}) AND event_time <= fromUnixTimestamp64Milli({train_to:Int64}))
     OR (event_time > fromUnixTimestamp64Milli({holdout_after:Int64}) AND event_time <= fromUnixTimestamp64Milli({holdout_to:Int64}))
) AS _moments
