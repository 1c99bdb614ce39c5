-- Every score, whoever asked for it: `stream` where an event or a sweep did, `api` where a client did over HTTP. Features are
-- in view order, as the model saw them; NaN is missing. `customer_id` is empty where the client gave the values itself.
SELECT
    'stream' AS kind, prediction_id, customer_id, event_time, scored_at, score, decision, model_version, toUInt32(view_version) AS view_version, degraded,
    [__FEATURES__] AS features
FROM predictions
UNION ALL
SELECT
    'api' AS kind, concat(request_id, '/', toString(row)) AS prediction_id, customer_id, scored_at AS event_time, scored_at, score, decision, model_version, view_version, degraded,
    features
FROM api_predictions
