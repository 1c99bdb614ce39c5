-- Every accepted event once, with the place in Kafka it came from. Arrival order of a customer is kafka_offset.
CREATE TABLE IF NOT EXISTS events
(
    event_id String CODEC(ZSTD(1)),
    customer_id String CODEC(ZSTD(1)),
    event_type Enum8('other' = 0, 'login' = 1, 'page_view' = 2, 'add_to_cart' = 3, 'purchase' = 4, 'refund' = 5, 'support_ticket' = 6),
    amount Nullable(Float64),
    quantity Nullable(Int32),
    channel LowCardinality(String),
    event_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    properties Map(LowCardinality(String), String),
    kafka_partition Int32,
    kafka_offset UInt64 CODEC(Delta, LZ4),
    kafka_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (customer_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- What happened each hour of event time, by type and channel: counts, money, distinct customers.
CREATE TABLE IF NOT EXISTS event_hours
(
    hour DateTime('UTC'),
    event_type Enum8('other' = 0, 'login' = 1, 'page_view' = 2, 'add_to_cart' = 3, 'purchase' = 4, 'refund' = 5, 'support_ticket' = 6),
    channel LowCardinality(String),
    rows SimpleAggregateFunction(sum, UInt64),
    amount_rows SimpleAggregateFunction(sum, UInt64),
    amount_total SimpleAggregateFunction(sum, Float64),
    quantity_total SimpleAggregateFunction(sum, Int64),
    customers AggregateFunction(uniqCombined(12), String)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, event_type, channel)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS events_to_event_hours TO event_hours AS
SELECT
    toStartOfHour(event_time) AS hour,
    event_type,
    channel,
    count() AS rows,
    count(amount) AS amount_rows,
    sum(ifNull(amount, 0)) AS amount_total,
    sum(toInt64(ifNull(quantity, 0))) AS quantity_total,
    uniqCombinedState(12)(customer_id) AS customers
FROM events
GROUP BY hour, event_type, channel;
