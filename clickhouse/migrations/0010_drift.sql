-- How each feature, and the score, was distributed in the rows that a version was fitted on: one place of these arrays is one
-- feature in one segment. model_profiles reads them.
ALTER TABLE model_versions
    ADD COLUMN IF NOT EXISTS profile_features Array(LowCardinality(String)) AFTER data_rows,
    ADD COLUMN IF NOT EXISTS profile_segments Array(LowCardinality(String)) AFTER profile_features,
    ADD COLUMN IF NOT EXISTS profile_bins Array(Array(Int16)) CODEC(ZSTD(1)) AFTER profile_segments,
    ADD COLUMN IF NOT EXISTS profile_rows Array(Array(UInt64)) CODEC(ZSTD(1)) AFTER profile_bins,
    ADD COLUMN IF NOT EXISTS profile_totals Array(Float64) AFTER profile_rows,
    ADD COLUMN IF NOT EXISTS profile_squares Array(Float64) AFTER profile_totals,
    ADD COLUMN IF NOT EXISTS profile_lows Array(Float64) AFTER profile_squares,
    ADD COLUMN IF NOT EXISTS profile_highs Array(Float64) AFTER profile_lows;

-- The reference of drift: the latest profile of each version, a row per feature and segment (empty: all rows). Bins as in
-- feature_hours; total, squares, low and high are of the values that are not missing.
CREATE VIEW IF NOT EXISTS model_profiles AS
SELECT model, version, feature, segment, bins, rows, total, squares, low, high
FROM
(
    SELECT model, version, profile_features, profile_segments, profile_bins, profile_rows, profile_totals, profile_squares, profile_lows, profile_highs
    FROM model_versions
    WHERE notEmpty(profile_features)
    ORDER BY kafka_offset DESC
    LIMIT 1 BY model, version
)
ARRAY JOIN
    profile_features AS feature, profile_segments AS segment, profile_bins AS bins, profile_rows AS rows,
    profile_totals AS total, profile_squares AS squares, profile_lows AS low, profile_highs AS high;

-- feature_hours for the segments `channel=…` and `tenure=…`: each prediction counts in one of each kind, without a channel
-- in the tenure's alone. Filled by the view that `migrate` writes.
CREATE TABLE IF NOT EXISTS feature_segment_hours
(
    hour DateTime('UTC'),
    segment LowCardinality(String),
    model_version LowCardinality(String),
    trigger Enum8('event' = 0, 'sweep' = 1),
    feature LowCardinality(String),
    bin Int16,
    rows SimpleAggregateFunction(sum, UInt64),
    total SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (segment, feature, model_version, hour, trigger, bin)
SETTINGS non_replicated_deduplication_window = 10000;

-- What was measured of a window, and how it was judged: the latest row of a figure (read with FINAL) holds.
CREATE TABLE IF NOT EXISTS drift_reports
(
    model LowCardinality(String),
    model_version LowCardinality(String),
    window_from DateTime('UTC'),
    window_to DateTime('UTC'),
    against LowCardinality(String),
    segment LowCardinality(String),
    feature LowCardinality(String),
    statistic LowCardinality(String),
    value Float64,
    baseline Float64,
    threshold Nullable(Float64),
    p Nullable(Float64),
    degrees UInt32,
    n UInt64,
    n_reference UInt64,
    verdict LowCardinality(String),
    reported_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(reported_at)
PARTITION BY toYYYYMM(window_to)
ORDER BY (model, window_to, window_from, model_version, against, segment, feature, statistic);
