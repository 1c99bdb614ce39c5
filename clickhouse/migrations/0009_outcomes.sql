-- What the business itself says became of a customer (topic customer-outcomes): 1 churned, 0 stayed. Of several within one
-- prediction's horizon the one observed last counts.
CREATE TABLE IF NOT EXISTS outcomes
(
    customer_id String CODEC(ZSTD(1)),
    outcome UInt8,
    observed_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    kafka_partition Int32,
    kafka_offset UInt64 CODEC(Delta, LZ4),
    kafka_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(observed_at)
ORDER BY (customer_id, observed_at, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;
