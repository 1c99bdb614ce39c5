-- What there is to train on: from when to when the events tell (epoch ms; single events far beyond the others count for
-- neither end, see event_times), events, customers.
SELECT
    (SELECT toUnixTimestamp64Milli(first) FROM event_times) AS first,
    (SELECT toUnixTimestamp64Milli(watermark) FROM event_times) AS watermark,
    count() AS events,
    uniqExact(customer_id) AS customers
FROM events
