-- The drift service's last look, and how many alerts about broken data were raised in the last week of event time.
SELECT model_version AS version, toUnixTimestamp64Milli(window_from) AS from, toUnixTimestamp64Milli(window_to) AS to, mode, tests, beyond, decision, explanation,
    toUnixTimestamp64Milli(looked_at) AS looked_at,
    (SELECT groupArray((cause, channel, toUnixTimestamp64Milli(window_from), toUnixTimestamp64Milli(window_to), explanation))
     FROM (SELECT * FROM drift_alerts FINAL WHERE model = {model:String} ORDER BY window_to DESC LIMIT 3)) AS alerts
FROM drift_looks FINAL
WHERE model = {model:String}
ORDER BY drift_looks.window_to DESC
LIMIT 1
