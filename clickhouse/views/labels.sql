-- The label of every prediction made in [from, to) of event time whose horizon is over: 1 where the customer bought nothing in
-- (event_time, event_time + horizon], 0 otherwise. An outcome that the business observed within the horizon wins, the latest
-- of several. Computed from what has landed by now: an event that comes later changes the answer.
WITH
    {from:DateTime64(3, 'UTC')} AS _from,
    {to:DateTime64(3, 'UTC')} AS _to,
    toIntervalDay({horizon_days:UInt16}) AS _horizon,
    _predictions AS
    (
        SELECT prediction_id, customer_id, event_time, event_time + _horizon AS _until, model_version, score, decision, trigger, degraded, channel, __TENURE__ AS tenure
        FROM predictions
        WHERE event_time >= _from AND event_time < _to
            AND event_time < (SELECT watermark FROM label_watermark) - _horizon - toIntervalHour({lateness_h:UInt32})
            /* customers */
        ORDER BY customer_id, event_time, kafka_partition, kafka_offset
        LIMIT 1 BY customer_id, event_time, prediction_id
    ),
    _purchases AS
    (
        SELECT customer_id, event_time AS _bought_at
        FROM events
        WHERE event_type = 'purchase' AND event_time > _from AND event_time < _to + _horizon
            /* customers */
    ),
    _outcomes AS
    (
        SELECT customer_id, observed_at AS _observed_at, argMax(outcome, (kafka_partition, kafka_offset)) AS _outcome
        FROM outcomes
        WHERE observed_at > _from AND observed_at < _to + _horizon
            /* customers */
        GROUP BY customer_id, _observed_at
    )
SELECT
    prediction_id,
    _labelled.customer_id AS customer_id,
    event_time,
    model_version,
    score,
    decision,
    trigger,
    degraded,
    channel,
    tenure,
    toUInt8(if(_observed_at > event_time, _outcome, NOT (_bought_at > event_time AND _bought_at <= _until))) AS churned,
    if(_observed_at > event_time, 'outcome', 'events') AS source
FROM
(
    SELECT _predictions.*, _purchases._bought_at AS _bought_at
    FROM _predictions
    ASOF LEFT JOIN _purchases ON _predictions.customer_id = _purchases.customer_id AND _predictions.event_time < _purchases._bought_at
) AS _labelled
ASOF LEFT JOIN _outcomes ON _labelled.customer_id = _outcomes.customer_id AND _labelled._until >= _outcomes._observed_at
