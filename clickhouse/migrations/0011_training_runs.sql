-- Every training: what asked for it, how far it came, what it made. The latest row of a run_id (read with FINAL) is the run.
CREATE TABLE IF NOT EXISTS training_runs
(
    run_id String,
    model LowCardinality(String),
    retrain_event_id String,
    status LowCardinality(String) COMMENT 'running, trained, deployed, kept or failed',
    version String,
    family LowCardinality(String),
    data_hash String,
    dataset_id String,
    data_rows UInt64,
    metrics Map(LowCardinality(String), Float64),
    error String,
    detail String COMMENT 'JSON: families and trials, expectations, cleaning, calibration, the decision' CODEC(ZSTD(1)),
    started_at DateTime64(3, 'UTC'),
    took_ms UInt64,
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, run_id);

-- The stages of a training in their order. The latest row of a stage (read with FINAL) is how it went.
CREATE TABLE IF NOT EXISTS training_stages
(
    run_id String,
    model LowCardinality(String),
    ordinal UInt16,
    stage LowCardinality(String),
    status LowCardinality(String) COMMENT 'running, done or failed',
    started_at DateTime64(3, 'UTC'),
    took_ms UInt64,
    detail String COMMENT 'JSON' CODEC(ZSTD(1)),
    error String,
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, run_id, ordinal);
