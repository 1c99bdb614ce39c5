-- Log loss of the challenger minus the champion's on the rows of a trial whose outcome is known (the latest rows_max of them), and that
-- difference in units of its standard error over customers: rows of one customer resemble each other. Every value is finite:
-- without labelled rows all are 0, with one customer z is 0, where all customers differ by the same z is at its bound.
WITH
    pairs AS
    (
        SELECT prediction_id, customer_id, event_time, champion_score, challenger_score
        FROM shadow_predictions
        WHERE challenger_version = {challenger:String} AND champion_version = {champion:String} AND scored_at >= fromUnixTimestamp64Milli({since_ms:Int64})
            AND NOT champion_degraded AND NOT challenger_degraded
            -- Nothing later has a label: hours of labels are few, rows without one are many.
            AND event_time < (SELECT max(hour) + toIntervalHour(1) FROM label_hours WHERE horizon_days = {horizon_days:UInt16})
        ORDER BY scored_at DESC
        LIMIT {rows_max:UInt32}
    ),
    (SELECT (min(event_time), max(event_time)) FROM pairs) AS span,
    known AS
    (
        SELECT
            pairs.customer_id AS customer,
            log(least(1, greatest(1e-6, if(churned = 1, champion_score, 1 - champion_score)))) - log(least(1, greatest(1e-6, if(churned = 1, challenger_score, 1 - challenger_score)))) AS loss
        FROM
        (
            SELECT prediction_id, customer_id, churned
            FROM labelled_predictions FINAL
            WHERE horizon_days = {horizon_days:UInt16} AND event_time >= span.1 AND event_time <= span.2 AND customer_id IN (SELECT customer_id FROM pairs)
        ) AS labels
        INNER JOIN pairs ON labels.prediction_id = pairs.prediction_id AND labels.customer_id = pairs.customer_id
    ),
    customers AS (SELECT customer, count() AS customer_rows, sum(loss) AS customer_loss FROM known GROUP BY customer),
    totals AS
    (
        SELECT
            count() AS n,
            sum(customer_rows) AS total_rows,
            if(n = 0, 0, sum(customer_loss) / total_rows) AS mean,
            -- the sum of (customer_loss - mean * customer_rows)^2 in one pass
            sum(customer_loss * customer_loss) - 2 * mean * sum(customer_loss * customer_rows) + mean * mean * sum(customer_rows * customer_rows) AS squares,
            sqrt(greatest(0, squares) * n / greatest(n - 1, 1)) AS spread
        FROM customers
    )
SELECT
    total_rows AS rows,
    mean AS difference,
    if(n < 2, 0, greatest(-1e6, least(1e6, if(spread > 0, mean * total_rows / spread, sign(mean) * 1e6)))) AS z
FROM totals
