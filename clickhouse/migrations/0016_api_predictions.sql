-- Every score that was asked for over HTTP. Not in `predictions`, which drift, labels and performance rest on: what a client
-- asks is its choice, and the same customer may be asked for a thousand times a minute.
CREATE TABLE IF NOT EXISTS api_predictions
(
    request_id String CODEC(ZSTD(1)),
    row UInt32 CODEC(Delta, LZ4),
    source Enum8('predict' = 0, 'batch' = 1, 'infer' = 2),
    customer_id String CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    score Float64,
    decision LowCardinality(String),
    model_version LowCardinality(String),
    view_version UInt32,
    degraded Bool,
    features Array(Float32) CODEC(ZSTD(1)),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(scored_at)
ORDER BY (customer_id, scored_at, request_id, row)
SETTINGS non_replicated_deduplication_window = 10000;
