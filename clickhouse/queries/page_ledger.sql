-- The latest decisions about versions, newest first; of an entry written twice the first counts.
SELECT toUnixTimestamp64Milli(model_ledger.at) AS at, version, action, share, champion, decided_by, reason, retrain_event_id
FROM model_ledger
WHERE model = {model:String}
  AND kafka_offset IN (SELECT min(kafka_offset) FROM model_ledger WHERE model = {model:String} GROUP BY entry_id)
ORDER BY kafka_offset DESC
LIMIT 12
