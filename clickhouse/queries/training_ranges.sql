-- What a training set was made from: of each partition of customer-events the offsets [from_offset, to_offset) that hold its
-- events, how many there are, and their first and latest event time (epoch ms).
SELECT
    kafka_partition AS partition,
    min(kafka_offset) AS from_offset,
    max(kafka_offset) + 1 AS to_offset,
    count() AS events,
    toUnixTimestamp64Milli(min(event_time)) AS first,
    toUnixTimestamp64Milli(max(event_time)) AS watermark
FROM {events:Identifier}
GROUP BY partition
ORDER BY partition
