-- Rows that a version scored since a time, counted up to rows_max.
SELECT count() AS rows
FROM
(
    SELECT 1
    FROM predictions
    WHERE model_version = {champion:String} AND scored_at >= fromUnixTimestamp64Milli({since_ms:Int64})
    LIMIT {rows_max:UInt32}
)
