-- Administrative actions: who did what, from where, and what came of it. A row that was sent twice is one (read with FINAL).
CREATE TABLE IF NOT EXISTS audit_log
(
    audit_id UUID,
    at DateTime64(3, 'UTC'),
    service LowCardinality(String),
    actor String COMMENT 'key:ID, or user:NAME of the machine a command ran on',
    role LowCardinality(String),
    address String COMMENT 'of the client; empty for a command',
    action LowCardinality(String) COMMENT 'keys.create, POST /retrain, ...',
    target String,
    outcome LowCardinality(String) COMMENT 'done, refused or failed',
    detail String COMMENT 'JSON' CODEC(ZSTD(1)),
    request_id String,
    recorded_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (at, audit_id);
