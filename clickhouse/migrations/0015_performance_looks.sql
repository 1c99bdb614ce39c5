-- The drift service's looks at realised performance: one row a window of predictions and model version, what was judged, what
-- followed, and the state in which the look left the service (read with FINAL).
CREATE TABLE IF NOT EXISTS performance_looks
(
    model LowCardinality(String),
    model_version String,
    window_from DateTime64(3, 'UTC'),
    window_to DateTime64(3, 'UTC'),
    metric LowCardinality(String),
    value Float64,
    promised Nullable(Float64),
    former Nullable(Float64),
    customers UInt64,
    n UInt64,
    mode LowCardinality(String),
    decision LowCardinality(String),
    explanation String,
    state String CODEC(ZSTD(1)),
    looked_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(looked_at)
ORDER BY (model, model_version, window_to);
