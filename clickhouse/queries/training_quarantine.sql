-- Event time in which data is known to be broken, up to the end of a training set's moments (epoch ms); channel '' is all.
SELECT
    toUnixTimestamp64Milli(window_from) AS from,
    toUnixTimestamp64Milli(window_to) AS to,
    toString(channel) AS channel,
    toString(cause) AS cause
FROM quarantined_windows FINAL
WHERE model = {model:String} AND window_from <= fromUnixTimestamp64Milli({holdout_to:Int64})
ORDER BY from, to, channel
