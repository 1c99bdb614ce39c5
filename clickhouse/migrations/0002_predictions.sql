-- Every score with what made it. One Float64 column per feature of the view is added beside these by `migrate`.
CREATE TABLE IF NOT EXISTS predictions
(
    prediction_id String CODEC(ZSTD(1)),
    customer_id String CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    scored_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    score Float64,
    decision LowCardinality(String),
    model_version LowCardinality(String),
    view_version UInt16,
    trigger Enum8('event' = 0, 'sweep' = 1),
    degraded Bool,
    produced_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    features_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    kafka_partition Int32,
    kafka_offset UInt64 CODEC(Delta, LZ4),
    kafka_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (customer_id, event_time, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Scores of each hour of event time, by model: counts, mean, spread, the time from event to score.
CREATE TABLE IF NOT EXISTS prediction_hours
(
    hour DateTime('UTC'),
    model_version LowCardinality(String),
    trigger Enum8('event' = 0, 'sweep' = 1),
    decision LowCardinality(String),
    rows SimpleAggregateFunction(sum, UInt64),
    degraded_rows SimpleAggregateFunction(sum, UInt64),
    score_total SimpleAggregateFunction(sum, Float64),
    score_squares SimpleAggregateFunction(sum, Float64),
    delay_ms AggregateFunction(quantilesTDigest(0.5, 0.99), Float32)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (model_version, hour, trigger, decision)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS predictions_to_prediction_hours TO prediction_hours AS
SELECT
    toStartOfHour(event_time) AS hour,
    model_version,
    trigger,
    decision,
    count() AS rows,
    countIf(degraded) AS degraded_rows,
    sum(score) AS score_total,
    sum(score * score) AS score_squares,
    quantilesTDigestState(0.5, 0.99)(toFloat32(dateDiff('millisecond', produced_at, scored_at))) AS delay_ms
FROM predictions
GROUP BY hour, model_version, trigger, decision;

-- The distribution of each feature, and of `score`, in each hour of event time: a histogram in feature-long form, so that a
-- new feature needs no new column. `bin` is the value's place on a logarithmic scale: 0 for zero, 10000 + floor(32 log2 v)
-- for positive values, mirrored for negative ones, 32767 for missing (NaN, with 0 in the sums). Bins are 2.2 % wide; whole
-- numbers to 45 each have their own. Filled by the view that `migrate` writes.
CREATE TABLE IF NOT EXISTS feature_hours
(
    hour DateTime('UTC'),
    model_version LowCardinality(String),
    trigger Enum8('event' = 0, 'sweep' = 1),
    feature LowCardinality(String),
    bin Int16,
    rows SimpleAggregateFunction(sum, UInt64),
    total SimpleAggregateFunction(sum, Float64),
    squares SimpleAggregateFunction(sum, Float64),
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (feature, model_version, hour, trigger, bin)
SETTINGS non_replicated_deduplication_window = 10000;
