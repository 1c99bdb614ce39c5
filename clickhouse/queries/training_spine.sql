-- Whose features a training set takes as of when: customer_id, as_of_offset, as_of_ms (epoch ms; 0: the record itself).
-- Snapshots stand every step_ms back from the end of the holdout, each customer's moved by a part of a step that follows
-- from its id, so that every hour and weekday occurs, as in the sweeps that score silent customers. Records themselves
-- stand beside them, since a customer is scored after each event too: one part per million of them by a hash of their id,
-- never by what happened afterwards. By a snapshot had arrived what stands before the customer's first record past it.
-- Moments inside quarantined windows are left out: an event's by its channel, a snapshot by that of the customer's latest event. So are
-- moments whose features still hold an event that was broken in there, of customers who had one, by what had arrived by then.
WITH
_arrivals AS (
  SELECT
    customer_id, event_id, channel AS _channel, toInt64(kafka_offset) AS _offset,
    max(toUnixTimestamp64Milli(event_time)) OVER (PARTITION BY customer_id ORDER BY kafka_offset) AS _latest
  FROM {events:Identifier}
  WHERE cityHash64(customer_id) % {shards:UInt32} = {shard:UInt32}
),
-- Broken events, with how long features hold them (ms; trainer/core/look-back.ts).
_faults AS (
  SELECT customer_id, groupArray((_ms, _offset, _held)) AS _broken
  FROM (
    SELECT customer_id, event_type, channel AS _channel, amount, toInt64(kafka_offset) AS _offset, toInt64(toUnixTimestamp64Milli(event_time)) AS _ms, __HELD_MS__ AS _held
    FROM {events:Identifier}
    WHERE cityHash64(customer_id) % {shards:UInt32} = {shard:UInt32}
  )
  WHERE _held > 0
  GROUP BY customer_id
),
_states AS (
  SELECT customer_id, _latest, argMax(_channel, _offset) AS _last_channel, max(_arrivals._offset) AS _last_offset FROM _arrivals GROUP BY customer_id, _latest
),
_snapshots AS (
  SELECT customer_id, _at
  FROM (
    SELECT
      customer_id,
      greatest(min(_latest), {train_after:Int64} + 1) AS _from,
      {holdout_to:Int64} - toInt64(cityHash64('snapshot', customer_id) % {step_ms:UInt64}) AS _last
    FROM _states
    GROUP BY customer_id
  )
  ARRAY JOIN arrayMap(i -> _last - toInt64(i) * {step_ms:Int64}, range(toUInt32(if(_last < _from, 0, intDiv(_last - _from, {step_ms:Int64}) + 1)))) AS _at
)
SELECT _snapshots.customer_id AS customer_id, _states._last_offset AS as_of_offset, _at AS as_of_ms
FROM _snapshots ASOF INNER JOIN _states ON _snapshots.customer_id = _states.customer_id AND _snapshots._at >= _states._latest
LEFT JOIN _faults ON _snapshots.customer_id = _faults.customer_id
WHERE (_at <= {train_to:Int64} OR _at > {holdout_after:Int64}) AND NOT (__QUARANTINED_SNAPSHOT__)
  AND NOT arrayExists(b -> b.2 <= _states._last_offset AND _at < b.1 + b.3, _broken)
UNION ALL
SELECT _arrivals.customer_id AS customer_id, _arrivals._offset AS as_of_offset, toInt64(0) AS as_of_ms
FROM _arrivals LEFT JOIN _faults ON _arrivals.customer_id = _faults.customer_id
WHERE cityHash64('event', event_id) % 1000000 < {events_ppm:UInt32}
  AND ((_latest > {train_after:Int64} AND _latest <= {train_to:Int64}) OR (_latest > {holdout_after:Int64} AND _latest <= {holdout_to:Int64}))
  AND NOT (__QUARANTINED_EVENT__)
  AND NOT arrayExists(b -> b.2 <= _arrivals._offset AND _latest < b.1 + b.3, _broken)
