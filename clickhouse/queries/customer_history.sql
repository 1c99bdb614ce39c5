-- A customer's latest scores, of both kinds, newest first.
SELECT kind, prediction_id, toUnixTimestamp64Milli(event_time) AS event_time, toUnixTimestamp64Milli(scored_at) AS scored_at, score, decision, model_version, degraded
FROM scores
WHERE customer_id = {customer_id:String}
ORDER BY scored_at DESC, prediction_id DESC
LIMIT {rows:UInt32}
