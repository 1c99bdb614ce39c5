-- Records of customer-events that were no events, with their untouched bytes.
CREATE TABLE IF NOT EXISTS dead_letters
(
    reason LowCardinality(String),
    error String,
    source_topic LowCardinality(String),
    source_partition Int32,
    source_offset UInt64,
    source_time DateTime64(3, 'UTC'),
    failed_at DateTime64(3, 'UTC'),
    record_key Nullable(String),
    record_value Nullable(String) CODEC(ZSTD(1)),
    headers Map(LowCardinality(String), String),
    kafka_partition Int32,
    kafka_offset UInt64,
    kafka_time DateTime64(3, 'UTC'),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(failed_at)
ORDER BY (failed_at, source_topic, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000;
