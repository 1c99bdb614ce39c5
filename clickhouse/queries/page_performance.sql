-- The course of two figures, realised and estimated with its interval. Of several versions in a window the one with the most rows.
SELECT kind, metric, toUnixTimestamp64Milli(window_from) AS from, toUnixTimestamp64Milli(window_to) AS to, model_version AS version, value, low, high, n
FROM
(
    SELECT * FROM performance_reports FINAL
    WHERE horizon_days = {horizon_days:UInt16} AND segment = '' AND metric IN ('log_loss', 'auc') AND isNotNull(value)
      AND window_from >= (SELECT max(window_from) FROM performance_reports WHERE horizon_days = {horizon_days:UInt16}) - toIntervalDay(90)
    ORDER BY n DESC
    LIMIT 1 BY kind, metric, window_from, window_to
)
ORDER BY kind, metric, from
LIMIT 800
