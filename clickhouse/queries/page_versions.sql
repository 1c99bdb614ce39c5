-- The versions that serve, are on trial or served before, the champion first. metrics: as measured when each was trained.
SELECT version, stage, share, family, metrics['log_loss'] AS log_loss, metrics['auc'] AS auc, data_rows,
    toUnixTimestamp64Milli(created_at) AS created_at, toUnixTimestamp64Milli(data_from) AS data_from, toUnixTimestamp64Milli(data_to) AS data_to
FROM models_now
WHERE model = {model:String} AND stage IN ('champion', 'shadow', 'canary', 'former')
ORDER BY indexOf(['champion', 'canary', 'shadow', 'former'], stage), created_at DESC
LIMIT 6
