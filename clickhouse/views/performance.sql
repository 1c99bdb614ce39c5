-- How good the predictions made in [from, to) turned out, by window of window_h hours (0: all of it as one), model version and
-- segment (empty: all; channel=…; tenure=…), on the labels given so far. Definitions: docs/cookbook.md. A figure that is
-- not defined (no positives, one class only, nobody at risk) is NULL.
WITH
    toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}) AS _from_ms,
    toUnixTimestamp64Milli({to:DateTime64(3, 'UTC')}) AS _to_ms,
    if({window_h:UInt32} = 0, _to_ms - _from_ms, toInt64({window_h:UInt32}) * 3600000) AS _width_ms,
    _rows AS
    (
        SELECT
            _from_ms + intDiv(toUnixTimestamp64Milli(event_time) - _from_ms, _width_ms) * _width_ms AS _window,
            model_version, segment, score, decision = 'at_risk' AS _risk, churned AS _y
        FROM labelled_predictions FINAL
        ARRAY JOIN arrayDistinct(['', if(channel = '', '', concat('channel=', channel)), tenure]) AS segment
        WHERE horizon_days = {horizon_days:UInt16} AND event_time >= {from:DateTime64(3, 'UTC')} AND event_time < {to:DateTime64(3, 'UTC')} AND NOT degraded
    ),
__FIGURES__
SELECT
    fromUnixTimestamp64Milli(_window, 'UTC') AS window_from,
    fromUnixTimestamp64Milli(least(_window + _width_ms, _to_ms), 'UTC') AS window_to,
    * EXCEPT (_window)
FROM _figures
