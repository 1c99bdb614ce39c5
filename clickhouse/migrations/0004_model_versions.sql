-- What was published on `models`, without the ONNX bytes. The latest row of a version (highest kafka_offset) holds its stage.
CREATE TABLE IF NOT EXISTS model_versions
(
    model LowCardinality(String),
    version String,
    stage LowCardinality(String),
    family LowCardinality(String),
    view LowCardinality(String),
    view_version UInt16,
    features Array(LowCardinality(String)),
    created_at DateTime64(3, 'UTC'),
    onnx_bytes UInt64,
    onnx_sha256 String,
    chunk_count UInt32,
    metrics Map(LowCardinality(String), Float64),
    parameters Map(LowCardinality(String), String),
    data_hash String,
    data_from DateTime64(3, 'UTC'),
    data_to DateTime64(3, 'UTC'),
    data_rows UInt64,
    kafka_partition Int32,
    kafka_offset UInt64,
    kafka_time DateTime64(3, 'UTC'),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, version, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;
