-- Every decision about a retraining, those against it included, as it stands on `retrain-events`.
CREATE TABLE IF NOT EXISTS retrain_events
(
    event_id String,
    decided_at DateTime64(3, 'UTC'),
    reason LowCardinality(String),
    decision LowCardinality(String),
    model LowCardinality(String),
    model_version String,
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    evidence Array(Tuple(feature String, segment String, statistic String, value Float64, threshold Float64, p Nullable(Float64), n UInt64)),
    explanation String,
    expected_gain Nullable(Float64),
    dedupe_key String,
    cooldown_until DateTime64(3, 'UTC'),
    requested_by String,
    kafka_partition Int32,
    kafka_offset UInt64,
    kafka_time DateTime64(3, 'UTC'),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, decided_at, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Data that looks broken: what, where and since when. The latest row of an alert_id (read with FINAL) is the alert.
CREATE TABLE IF NOT EXISTS drift_alerts
(
    alert_id String,
    model LowCardinality(String),
    model_version String,
    cause LowCardinality(String),
    channel LowCardinality(String),
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    explanation String,
    evidence Array(Tuple(feature String, segment String, statistic String, value Float64, threshold Float64, p Nullable(Float64), n UInt64)),
    raised_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, alert_id);

-- Event time that no model is trained on; channel '' is all of them. The latest row of a quarantine_id (read with FINAL) holds.
CREATE TABLE IF NOT EXISTS quarantined_windows
(
    quarantine_id String,
    model LowCardinality(String),
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    channel LowCardinality(String),
    cause LowCardinality(String),
    created_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, quarantine_id);

-- The looks of the drift service: one row a window and model version, and the state in which the look left the service.
CREATE TABLE IF NOT EXISTS drift_looks
(
    model LowCardinality(String),
    model_version String,
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    mode LowCardinality(String),
    tests UInt32,
    beyond UInt32,
    decision LowCardinality(String),
    explanation String,
    state String CODEC(ZSTD(1)),
    looked_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(looked_at)
ORDER BY (model, model_version, window_to);
