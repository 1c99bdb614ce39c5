-- The latest decisions about retraining, newest first, with how far the training is and what the ledger answered.
SELECT asked.event_id AS event_id, toUnixTimestamp64Milli(decided_at) AS at, asked.reason AS reason, decision, requested_by, explanation,
    arrayMap(e -> (if(e.segment = '', e.feature, concat(e.feature, ' ', e.segment)), e.statistic, e.value, e.threshold), arraySlice(evidence, 1, 3)) AS evidence,
    runs.status AS status, runs.stage AS stage, answers.action AS action, answers.version AS version, answers.why AS answer
FROM
(
    SELECT * FROM retrain_events WHERE model = {model:String} ORDER BY decided_at DESC LIMIT 1 BY event_id LIMIT 10
) AS asked
LEFT JOIN
(
    SELECT retrain_event_id, argMax(action, kafka_offset) AS action, argMax(version, kafka_offset) AS version, argMax(reason, kafka_offset) AS why
    FROM model_ledger WHERE model = {model:String} AND retrain_event_id != '' GROUP BY retrain_event_id
) AS answers ON answers.retrain_event_id = asked.event_id
LEFT JOIN
(
    SELECT retrain_event_id, argMax(status, updated_at) AS status, argMax(stages.name, updated_at) AS stage
    FROM training_runs
    LEFT JOIN (SELECT run_id, argMax(stage, ordinal) AS name FROM training_stages WHERE model = {model:String} GROUP BY run_id) AS stages ON stages.run_id = training_runs.run_id
    WHERE model = {model:String} AND retrain_event_id != ''
    GROUP BY retrain_event_id
) AS runs ON runs.retrain_event_id = asked.event_id
ORDER BY at DESC
