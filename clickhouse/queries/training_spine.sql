-- The moments at which a training set looks at a customer: customer_id, at (epoch ms), on_event.
-- Snapshots stand every step_ms back from the end of the holdout, each customer's moved by a part of a step that follows
-- from its id, so that every hour and weekday occurs, as in the sweeps that score silent customers. Moments of events
-- stand beside them, since a customer is scored after each event too. Both are thinned by hashes (parts per million),
-- never by what happened afterwards. A customer is known from its first event on.
SELECT customer_id, at, max(on_event) AS on_event
FROM
(
    SELECT customer_id, at, toUInt8(0) AS on_event
    FROM
    (
        SELECT
            customer_id,
            toUnixTimestamp64Milli(min(event_time)) AS first_ms,
            {holdout_to:Int64} - toInt64(cityHash64('snapshot', customer_id) % {step_ms:UInt64}) AS last_ms
        FROM events
        WHERE event_time <= fromUnixTimestamp64Milli({holdout_to:Int64})
          AND cityHash64('customer', customer_id) % 1000000 < {customers_ppm:UInt32}
        GROUP BY customer_id
    )
    ARRAY JOIN arrayMap(
        i -> last_ms - toInt64(i) * {step_ms:Int64},
        range(toUInt32(greatest(0, intDiv(last_ms - greatest(first_ms, {train_after:Int64}), {step_ms:Int64}) + 1)))) AS at
    WHERE at >= first_ms

    UNION ALL

    SELECT customer_id, toUnixTimestamp64Milli(event_time) AS at, toUInt8(1) AS on_event
    FROM events
    WHERE event_time > fromUnixTimestamp64Milli({train_after:Int64})
      AND event_time <= fromUnixTimestamp64Milli({holdout_to:Int64})
      AND cityHash64('customer', customer_id) % 1000000 < {customers_ppm:UInt32}
      AND cityHash64('event', event_id) % 1000000 < {events_ppm:UInt32}
)
WHERE (at > {train_after:Int64} AND at <= {train_to:Int64}) OR (at > {holdout_after:Int64} AND at <= {holdout_to:Int64})
GROUP BY customer_id, at
