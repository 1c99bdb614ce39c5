-- A customer's last predictions in order of arrival, with what kind of event made them: those of the stream, of one view version.
SELECT p.* EXCEPT (kafka_offset), ifNull(toString(e.event_type), '') AS event_type
FROM
(
    SELECT *, toUnixTimestamp64Milli(event_time) AS event_ms
    FROM predictions
    WHERE customer_id = {customer:String} AND view_version = {view_version:UInt16} AND trigger IN ('event', 'sweep')
    ORDER BY customer_id DESC, event_time DESC, kafka_partition DESC, kafka_offset DESC
    LIMIT {rows:UInt32}
) AS p
LEFT ANY JOIN (SELECT event_id, toNullable(event_type) AS event_type FROM events WHERE customer_id = {customer:String}) AS e ON e.event_id = p.event_id AND p.trigger = 'event'
ORDER BY p.kafka_offset
