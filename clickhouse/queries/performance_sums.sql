-- What a verdict on performance rests on: sums over customers of their labelled predictions and losses, by piece of event time.
-- Piece 0 is the window [from, to); pieces 1, 2, … are the windows of the same length before former_to, back to former_from; piece
-- -1 is all of those together. Sums of products give the variance of a mean whose independent units are customers, and, with
-- the customer's own sums in the window (n0, s0), the covariance of two means. Customers beyond the first `buckets` of 1024 of
-- a hash are left out, where there are more rows than are needed.
WITH
    {width_ms:Int64} AS _width,
    _rows AS
    (
        SELECT
            customer_id,
            toUnixTimestamp64Milli(event_time) AS _at,
            if(_at >= {from:Int64}, 0, 1 + intDiv({former_to:Int64} - 1 - _at, _width)) AS _piece,
            least(greatest(score, 2.220446049250313e-16), 1 - 2.220446049250313e-16) AS _p,
            if({metric:String} = 'brier', (churned - score) * (churned - score), if(churned = 1, -log(_p), -log1p(-_p))) AS _loss,
            trigger = 'event' AS _event
        FROM labelled_predictions FINAL
        WHERE horizon_days = {horizon_days:UInt16} AND model_version = {version:String} AND NOT degraded
            AND event_time >= fromUnixTimestamp64Milli({former_from:Int64}) AND event_time < fromUnixTimestamp64Milli({to:Int64})
            AND (_at >= {from:Int64} OR (_at < {former_to:Int64} AND NOT arrayExists((f, t) -> _at >= f AND _at < t, {excluded_from:Array(Int64)}, {excluded_to:Array(Int64)})))
            AND cityHash64('performance', customer_id) % 1024 < {buckets:UInt16}
    ),
    _sums AS
    (
        SELECT customer_id, piece, toFloat64(count()) AS _n, sum(_loss) AS _s, toFloat64(countIf(_event)) AS _e
        FROM _rows
        ARRAY JOIN if(_piece = 0, [toInt32(0)], [toInt32(_piece), toInt32(-1)]) AS piece
        GROUP BY customer_id, piece
    ),
    _paired AS
    (
        SELECT *, sumIf(_n, piece = 0) OVER (PARTITION BY customer_id) AS _n0, sumIf(_s, piece = 0) OVER (PARTITION BY customer_id) AS _s0
        FROM _sums
    )
SELECT
    piece,
    toFloat64(count()) AS customers, sum(_e) AS events,
    sum(_n) AS n, sum(_s) AS s, sum(_n * _n) AS nn, sum(_n * _s) AS ns, sum(_s * _s) AS ss,
    sum(_n * _n0) AS nn0, sum(_n * _s0) AS ns0, sum(_s * _n0) AS sn0, sum(_s * _s0) AS ss0
FROM _paired
GROUP BY piece
ORDER BY piece
