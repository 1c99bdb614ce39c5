-- What there is to train on: first and latest event time (epoch ms), events, customers.
SELECT
    toUnixTimestamp64Milli(min(event_time)) AS first,
    toUnixTimestamp64Milli(max(event_time)) AS watermark,
    count() AS events,
    uniqExact(customer_id) AS customers
FROM events
