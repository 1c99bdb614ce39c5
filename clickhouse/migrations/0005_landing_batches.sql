-- The latest batch that landing set out to insert from each Kafka partition (docs/decisions/landing-exactly-once.md).
CREATE TABLE IF NOT EXISTS landing_batches
(
    topic LowCardinality(String),
    partition Int32,
    first_offset UInt64,
    last_offset UInt64,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(last_offset)
ORDER BY (topic, partition);
