CREATE TABLE dead_letters
(
    `reason` LowCardinality(String),
    `error` String,
    `source_topic` LowCardinality(String),
    `source_partition` Int32,
    `source_offset` UInt64,
    `source_time` DateTime64(3, 'UTC'),
    `failed_at` DateTime64(3, 'UTC'),
    `record_key` Nullable(String),
    `record_value` Nullable(String) CODEC(ZSTD(1)),
    `headers` Map(LowCardinality(String), String),
    `kafka_partition` Int32,
    `kafka_offset` UInt64,
    `kafka_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(failed_at)
ORDER BY (failed_at, source_topic, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE event_hours
(
    `hour` DateTime('UTC'),
    `event_type` Enum8('other' = 0, 'login' = 1, 'page_view' = 2, 'add_to_cart' = 3, 'purchase' = 4, 'refund' = 5, 'support_ticket' = 6),
    `channel` LowCardinality(String),
    `rows` SimpleAggregateFunction(sum, UInt64),
    `amount_rows` SimpleAggregateFunction(sum, UInt64),
    `amount_total` SimpleAggregateFunction(sum, Float64),
    `quantity_total` SimpleAggregateFunction(sum, Int64),
    `customers` AggregateFunction(uniqCombined(12), String)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, event_type, channel)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE events
(
    `event_id` String CODEC(ZSTD(1)),
    `customer_id` String CODEC(ZSTD(1)),
    `event_type` Enum8('other' = 0, 'login' = 1, 'page_view' = 2, 'add_to_cart' = 3, 'purchase' = 4, 'refund' = 5, 'support_ticket' = 6),
    `amount` Nullable(Float64),
    `quantity` Nullable(Int32),
    `channel` LowCardinality(String),
    `event_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `properties` Map(LowCardinality(String), String),
    `kafka_partition` Int32,
    `kafka_offset` UInt64 CODEC(Delta(8), LZ4),
    `kafka_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (customer_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE MATERIALIZED VIEW events_to_event_hours TO event_hours
(
    `hour` DateTime('UTC'),
    `event_type` Enum8('other' = 0, 'login' = 1, 'page_view' = 2, 'add_to_cart' = 3, 'purchase' = 4, 'refund' = 5, 'support_ticket' = 6),
    `channel` LowCardinality(String),
    `rows` UInt64,
    `amount_rows` UInt64,
    `amount_total` Float64,
    `quantity_total` Int64,
    `customers` AggregateFunction(uniqCombined(12), String)
)
AS SELECT
    toStartOfHour(event_time) AS hour,
    event_type,
    channel,
    count() AS rows,
    count(amount) AS amount_rows,
    sum(ifNull(amount, 0)) AS amount_total,
    sum(toInt64(ifNull(quantity, 0))) AS quantity_total,
    uniqCombinedState(12)(customer_id) AS customers
FROM events
GROUP BY
    hour,
    event_type,
    channel;

CREATE TABLE feature_hours
(
    `hour` DateTime('UTC'),
    `model_version` LowCardinality(String),
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `feature` LowCardinality(String),
    `bin` Int16,
    `rows` SimpleAggregateFunction(sum, UInt64),
    `total` SimpleAggregateFunction(sum, Float64),
    `squares` SimpleAggregateFunction(sum, Float64),
    `low` SimpleAggregateFunction(min, Float64),
    `high` SimpleAggregateFunction(max, Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (feature, model_version, hour, trigger, bin)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE model_versions
(
    `model` LowCardinality(String),
    `version` String,
    `stage` LowCardinality(String),
    `family` LowCardinality(String),
    `view` LowCardinality(String),
    `view_version` UInt16,
    `features` Array(LowCardinality(String)),
    `created_at` DateTime64(3, 'UTC'),
    `onnx_bytes` UInt64,
    `onnx_sha256` String,
    `chunk_count` UInt32,
    `metrics` Map(LowCardinality(String), Float64),
    `parameters` Map(LowCardinality(String), String),
    `data_hash` String,
    `data_from` DateTime64(3, 'UTC'),
    `data_to` DateTime64(3, 'UTC'),
    `data_rows` UInt64,
    `kafka_partition` Int32,
    `kafka_offset` UInt64,
    `kafka_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, version, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE prediction_hours
(
    `hour` DateTime('UTC'),
    `model_version` LowCardinality(String),
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `decision` LowCardinality(String),
    `rows` SimpleAggregateFunction(sum, UInt64),
    `degraded_rows` SimpleAggregateFunction(sum, UInt64),
    `score_total` SimpleAggregateFunction(sum, Float64),
    `score_squares` SimpleAggregateFunction(sum, Float64),
    `delay_ms` AggregateFunction(quantilesTDigest(0.5, 0.99), Float32)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (model_version, hour, trigger, decision)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE predictions
(
    `prediction_id` String CODEC(ZSTD(1)),
    `customer_id` String CODEC(ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `event_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `scored_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `score` Float64,
    `decision` LowCardinality(String),
    `model_version` LowCardinality(String),
    `view_version` UInt16,
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `degraded` Bool,
    `produced_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `features_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `channel` LowCardinality(String),
    `kafka_partition` Int32,
    `kafka_offset` UInt64 CODEC(Delta(8), LZ4),
    `kafka_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), LZ4),
    `events_24h` Float64 DEFAULT nan COMMENT 'events of the last 24 hours',
    `events_7d` Float64 DEFAULT nan COMMENT 'events of the last 7 days',
    `events_30d` Float64 DEFAULT nan COMMENT 'events of the last 30 days',
    `purchases_7d` Float64 DEFAULT nan COMMENT 'purchases of the last 7 days',
    `purchases_30d` Float64 DEFAULT nan COMMENT 'purchases of the last 30 days',
    `purchases_90d` Float64 DEFAULT nan COMMENT 'purchases of the last 90 days',
    `spend_7d` Float64 DEFAULT nan COMMENT 'money spent in the last 7 days; refunds are not taken off',
    `spend_30d` Float64 DEFAULT nan COMMENT 'money spent in the last 30 days',
    `spend_90d` Float64 DEFAULT nan COMMENT 'money spent in the last 90 days',
    `refunds_90d` Float64 DEFAULT nan COMMENT 'refunds of the last 90 days',
    `tickets_30d` Float64 DEFAULT nan COMMENT 'support tickets of the last 30 days',
    `carts_7d` Float64 DEFAULT nan COMMENT 'additions to the cart in the last 7 days',
    `active_days_30d` Float64 DEFAULT nan COMMENT 'days with an event among the last 30',
    `tenure_days` Float64 DEFAULT nan COMMENT 'days since the first event',
    `days_since_last_purchase` Float64 DEFAULT nan COMMENT 'days since the latest purchase',
    `purchase_gap_mean_days` Float64 DEFAULT nan COMMENT 'mean days between consecutive purchases',
    `purchase_gap_std_days` Float64 DEFAULT nan COMMENT 'standard deviation of the days between consecutive purchases',
    `order_value_mean` Float64 DEFAULT nan COMMENT 'mean amount of a purchase',
    `order_value_std` Float64 DEFAULT nan COMMENT 'standard deviation of the amounts of purchases',
    `last_order_value` Float64 DEFAULT nan COMMENT 'amount of the latest purchase'
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (customer_id, event_time, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE MATERIALIZED VIEW predictions_to_feature_hours TO feature_hours
(
    `hour` DateTime('UTC'),
    `model_version` LowCardinality(String),
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `feature` String,
    `bin` Int16,
    `rows` UInt64,
    `total` Float64,
    `squares` Float64,
    `low` Float64,
    `high` Float64
)
AS SELECT
    toStartOfHour(event_time) AS hour,
    model_version,
    trigger,
    feature,
    toInt16(multiIf(isNaN(value), 32767, value = 0, 0, value > 0, 10000 + least(greatest(floor(log2(value) * 32), -8000), 8000), -(10000 + least(greatest(floor(log2(-value) * 32), -8000), 8000)))) AS bin,
    count() AS rows,
    sum(if(isNaN(value), 0, value)) AS total,
    sum(if(isNaN(value), 0, value * value)) AS squares,
    min(if(isNaN(value), 0, value)) AS low,
    max(if(isNaN(value), 0, value)) AS high
FROM predictions
ARRAY JOIN
    ['score', 'events_24h', 'events_7d', 'events_30d', 'purchases_7d', 'purchases_30d', 'purchases_90d', 'spend_7d', 'spend_30d', 'spend_90d', 'refunds_90d', 'tickets_30d', 'carts_7d', 'active_days_30d', 'tenure_days', 'days_since_last_purchase', 'purchase_gap_mean_days', 'purchase_gap_std_days', 'order_value_mean', 'order_value_std', 'last_order_value'] AS feature,
    [score, events_24h, events_7d, events_30d, purchases_7d, purchases_30d, purchases_90d, spend_7d, spend_30d, spend_90d, refunds_90d, tickets_30d, carts_7d, active_days_30d, tenure_days, days_since_last_purchase, purchase_gap_mean_days, purchase_gap_std_days, order_value_mean, order_value_std, last_order_value] AS value
GROUP BY
    hour,
    model_version,
    trigger,
    feature,
    bin;

CREATE MATERIALIZED VIEW predictions_to_prediction_hours TO prediction_hours
(
    `hour` DateTime('UTC'),
    `model_version` LowCardinality(String),
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `decision` LowCardinality(String),
    `rows` UInt64,
    `degraded_rows` UInt64,
    `score_total` Float64,
    `score_squares` Float64,
    `delay_ms` AggregateFunction(quantilesTDigest(0.5, 0.99), Float32)
)
AS SELECT
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
GROUP BY
    hour,
    model_version,
    trigger,
    decision;

CREATE TABLE schema_migrations
(
    `number` UInt32,
    `name` String,
    `checksum` String,
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS index_granularity = 8192;

