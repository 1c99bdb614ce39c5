-- A customer's latest events, newest first. since: so that of a long history only the partitions that are shown are opened.
SELECT event_id, toUnixTimestamp64Milli(event_time) AS at, event_type AS type, amount, channel
FROM events
WHERE customer_id = {customer:String} AND event_time >= fromUnixTimestamp64Milli({since:Int64})
ORDER BY event_time DESC
LIMIT 200
