-- A customer's latest events, newest first.
SELECT event_id, toUnixTimestamp64Milli(event_time) AS at, event_type AS type, amount, channel
FROM events
WHERE customer_id = {customer:String}
ORDER BY event_time DESC
LIMIT 200
