-- Log loss of the challenger minus the champion's on the rows of a step whose outcome is known, and that difference in units of
-- its standard error over customers: rows of one customer resemble each other.
WITH
    known AS
    (
        SELECT
            customer_id,
            if(churned = 1, champion_score, 1 - champion_score) AS champion_right,
            if(churned = 1, challenger_score, 1 - challenger_score) AS challenger_right,
            log(greatest(champion_right, 1e-6)) - log(greatest(challenger_right, 1e-6)) AS loss
        FROM shadow_predictions AS pairs
        INNER JOIN
        (
            SELECT prediction_id, customer_id, churned
            FROM labelled_predictions FINAL
            WHERE horizon_days = {horizon_days:UInt16} AND event_time >= fromUnixTimestamp64Milli({event_from_ms:Int64}) AND event_time <= fromUnixTimestamp64Milli({event_to_ms:Int64})
        ) AS labels ON labels.prediction_id = pairs.prediction_id AND labels.customer_id = pairs.customer_id
        WHERE challenger_version = {challenger:String} AND champion_version = {champion:String} AND mode = {mode:String}
            AND (mode = 'shadow' OR share = {share:Float64}) AND scored_at >= fromUnixTimestamp64Milli({since_ms:Int64})
    ),
    customers AS (SELECT customer_id, count() AS rows, sum(loss) AS loss FROM known GROUP BY customer_id),
    (SELECT sum(loss) / sum(rows) FROM customers) AS mean
SELECT
    sum(rows) AS rows,
    mean AS difference,
    mean * sum(rows) / sqrt(sum(pow(loss - mean * rows, 2))) AS z
FROM customers
