-- What champion and challenger both scored in one step of a trial.
SELECT
    count() AS rows,
    uniq(customer_id) AS customers,
    toUnixTimestamp64Milli(min(event_time)) AS event_from_ms,
    toUnixTimestamp64Milli(max(event_time)) AS event_to_ms
FROM shadow_predictions
WHERE challenger_version = {challenger:String} AND champion_version = {champion:String} AND mode = {mode:String}
    AND (mode = 'shadow' OR share = {share:Float64}) AND scored_at >= fromUnixTimestamp64Milli({since_ms:Int64})
