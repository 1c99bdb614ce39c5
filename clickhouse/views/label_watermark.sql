-- Up to when the events are known, in event time: no label is given before its whole horizon lies below. Of each Kafka partition
-- the latest hour is believed that has events of eight customers at or after it (half of them where there are fewer than
-- 16): a single device with a wrong clock moves nothing. The watermark is the least of the partitions, because a customer's
-- events stand on one of them and landing may be further on another. A partition that has landed nothing for an hour while
-- others did is idle and does not hold the rest back. 1970 while there are no events.
SELECT
    toDateTime64(minIf(_clock, _last >= _latest - toIntervalHour(1)), 3, 'UTC') AS watermark,
    countIf(_last < _latest - toIntervalHour(1)) AS idle_partitions
FROM
(
    SELECT kafka_partition, maxIf(hour, _customers >= least(8, ceil(_all / 2))) AS _clock, max(_landed) AS _last, max(max(_landed)) OVER () AS _latest
    FROM
    (
        SELECT kafka_partition, hour, _customers, max(_customers) OVER (PARTITION BY kafka_partition) AS _all, _landed
        FROM
        (
            SELECT
                kafka_partition,
                hour,
                uniqCombinedMerge(12)(_state) OVER (PARTITION BY kafka_partition ORDER BY hour DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _customers,
                max(_landed_at) OVER (PARTITION BY kafka_partition) AS _landed
            FROM
            (
                SELECT kafka_partition, hour, uniqCombinedMergeState(12)(customers) AS _state, max(landed_at) AS _landed_at
                FROM event_clocks
                GROUP BY kafka_partition, hour
                ORDER BY kafka_partition, hour DESC
                LIMIT 1000 BY kafka_partition
            )
        )
    )
    GROUP BY kafka_partition
)
