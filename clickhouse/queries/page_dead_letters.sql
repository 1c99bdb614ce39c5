-- Dead letters of the last day by reason, most first, with the latest error and the rows of each of the last 24 hours.
SELECT reason, count() AS rows, argMax(error, failed_at) AS error, toUnixTimestamp64Milli(max(failed_at)) AS latest,
    arrayMap(i -> countEqual(groupArray(dateDiff('hour', failed_at, now64(3))), i), reverse(range(24))) AS hours
FROM dead_letters
WHERE failed_at >= now64(3) - toIntervalHour(24)
GROUP BY reason
ORDER BY rows DESC
LIMIT 8
