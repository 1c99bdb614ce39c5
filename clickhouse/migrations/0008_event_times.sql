-- From when to when the events tell, in event time: what all but a few of them agree on. One event of today among those of
-- years ago, or of 1970 among today's, moves neither end: an end stands at most a day beyond where a thousandth of the events
-- (at least eight) has been reached. `outside` counts the events beyond the ends.
CREATE VIEW IF NOT EXISTS event_times AS
SELECT
    minIf(_first, _hour >= _begun - 86400) AS first,
    maxIf(_latest, _hour <= _reached + 86400) AS watermark,
    sum(_rows) AS events,
    sumIf(_rows, _hour < _begun - 86400 OR _hour > _reached + 86400) AS outside
FROM
(
    SELECT
        _hour, _first, _latest, _rows,
        min(if(_up_to >= _few, _hour, NULL)) OVER () AS _begun,
        max(if(_from_here >= _few, _hour, NULL)) OVER () AS _reached
    FROM
    (
        SELECT
            _hour, _first, _latest, _rows,
            sum(_rows) OVER (ORDER BY _hour) AS _up_to,
            sum(_rows) OVER (ORDER BY _hour DESC) AS _from_here,
            least(sum(_rows) OVER (), greatest(8, intDiv(sum(_rows) OVER (), 1000))) AS _few
        FROM
        (
            SELECT
                toUnixTimestamp(toStartOfHour(event_time)) AS _hour,
                min(event_time) AS _first,
                max(event_time) AS _latest,
                count() AS _rows
            FROM events
            GROUP BY _hour
        )
    )
);
