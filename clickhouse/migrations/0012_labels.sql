-- Which hours of event time each Kafka partition's events stand in, by how many customers, and when the last of them landed:
-- what the label watermark follows from. Adding the same events twice changes nothing.
CREATE TABLE IF NOT EXISTS event_clocks
(
    kafka_partition Int32,
    hour DateTime('UTC'),
    customers AggregateFunction(uniqCombined(12), String),
    landed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYear(hour)
ORDER BY (kafka_partition, hour)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS events_to_event_clocks TO event_clocks AS
SELECT kafka_partition, toStartOfHour(event_time) AS hour, uniqCombinedState(12)(customer_id) AS customers, max(events.landed_at) AS landed_at
FROM events
GROUP BY kafka_partition, hour;

INSERT INTO event_clocks
SELECT kafka_partition, toStartOfHour(event_time) AS hour, uniqCombinedState(12)(customer_id) AS customers, max(events.landed_at) AS landed_at
FROM events
GROUP BY kafka_partition, hour;

-- What landed lately that decides a label, in the order of landing: predictions, purchases, explicit outcomes. A run of the
-- labels reads what came since the last one and looks at those customers again.
CREATE TABLE IF NOT EXISTS label_changes
(
    kind Enum8('prediction' = 0, 'purchase' = 1, 'outcome' = 2),
    customer_id String CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    landed_at DateTime64(3, 'UTC') CODEC(Delta, LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(landed_at)
ORDER BY landed_at
TTL toDateTime(landed_at) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS predictions_to_label_changes TO label_changes AS
SELECT 'prediction' AS kind, customer_id, event_time, landed_at FROM predictions;

CREATE MATERIALIZED VIEW IF NOT EXISTS events_to_label_changes TO label_changes AS
SELECT 'purchase' AS kind, customer_id, event_time, landed_at FROM events WHERE event_type = 'purchase';

CREATE MATERIALIZED VIEW IF NOT EXISTS outcomes_to_label_changes TO label_changes AS
SELECT 'outcome' AS kind, customer_id, observed_at AS event_time, landed_at FROM outcomes;

-- Predictions with their label, once each: of several rows the latest revision counts (read with FINAL). The horizon is part
-- of the key, so that labels of another horizon stand beside these.
CREATE TABLE IF NOT EXISTS labelled_predictions
(
    horizon_days UInt16,
    prediction_id String CODEC(ZSTD(1)),
    customer_id String CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    model_version LowCardinality(String),
    score Float64,
    decision LowCardinality(String),
    trigger Enum8('event' = 0, 'sweep' = 1),
    degraded Bool,
    channel LowCardinality(String),
    tenure LowCardinality(String),
    churned UInt8,
    source LowCardinality(String),
    revision DateTime64(3, 'UTC') CODEC(Delta, LZ4)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (horizon_days, customer_id, event_time, prediction_id);

-- When labels of each hour of event time were last given or corrected.
CREATE TABLE IF NOT EXISTS label_hours
(
    horizon_days UInt16,
    hour DateTime('UTC'),
    revision SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (horizon_days, hour);

CREATE MATERIALIZED VIEW IF NOT EXISTS labelled_predictions_to_label_hours TO label_hours AS
SELECT horizon_days, toStartOfHour(event_time) AS hour, max(labelled_predictions.revision) AS revision
FROM labelled_predictions
GROUP BY horizon_days, hour;

-- How far the labels are: predictions before labelled_to have theirs, what landed before changes_to is in them.
CREATE TABLE IF NOT EXISTS label_runs
(
    horizon_days UInt16,
    labelled_to DateTime64(3, 'UTC'),
    changes_to DateTime64(3, 'UTC'),
    finished_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (horizon_days, finished_at);

-- Performance by window, model version and segment, as it was computed last (read with FINAL): `realised` on labels, `estimated`
-- before there are any. A value that is not defined is NULL.
CREATE TABLE IF NOT EXISTS performance_reports
(
    kind Enum8('realised' = 0, 'estimated' = 1),
    horizon_days UInt16,
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    model_version LowCardinality(String),
    segment LowCardinality(String),
    metric LowCardinality(String),
    value Nullable(Float64),
    low Nullable(Float64),
    high Nullable(Float64),
    n UInt64,
    positives Float64,
    calibrated_on UInt64,
    landed UInt64,
    computed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
PARTITION BY toYYYYMM(window_from)
ORDER BY (kind, horizon_days, model_version, segment, metric, window_from, window_to);
