-- A customer's latest scores, newest first.
SELECT toUnixTimestamp64Milli(event_time) AS at, score, model_version AS version, trigger, decision
FROM predictions
WHERE customer_id = {customer:String} AND event_time >= fromUnixTimestamp64Milli({since:Int64})
ORDER BY event_time DESC, kafka_offset DESC
LIMIT 300
