-- Event time that a model is not trained on, as far as it touches the moments of a training set (epoch ms); channel '' is all.
SELECT
    toUnixTimestamp64Milli(window_from) AS from,
    toUnixTimestamp64Milli(window_to) AS to,
    toString(channel) AS channel,
    toString(cause) AS cause
FROM quarantined_windows FINAL
WHERE model = {model:String} AND window_to > fromUnixTimestamp64Milli({train_after:Int64}) AND window_from <= fromUnixTimestamp64Milli({holdout_to:Int64})
ORDER BY from, to, channel
