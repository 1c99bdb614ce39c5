-- Every decision about a model's versions, as it stands on `models.ledger`: who, when, why. Rows are only ever added.
CREATE TABLE IF NOT EXISTS model_ledger
(
    entry_id String,
    at DateTime64(3, 'UTC'),
    model LowCardinality(String),
    version String,
    action LowCardinality(String),
    share Float64,
    champion String,
    decided_by LowCardinality(String),
    reason String,
    evidence String,
    retrain_event_id String,
    kafka_partition Int32,
    kafka_offset UInt64,
    kafka_time DateTime64(3, 'UTC'),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Rows that champion and challenger both scored. Their features stand in `predictions` under the same prediction_id.
CREATE TABLE IF NOT EXISTS shadow_predictions
(
    prediction_id String CODEC(ZSTD(1)),
    customer_id String CODEC(ZSTD(1)),
    event_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    scored_at DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    mode LowCardinality(String),
    share Float64,
    champion_version LowCardinality(String),
    challenger_version LowCardinality(String),
    champion_score Float64,
    challenger_score Float64,
    champion_degraded Bool,
    challenger_degraded Bool,
    champion_us Float64,
    challenger_us Float64,
    kafka_partition Int32,
    kafka_offset UInt64 CODEC(Delta, LZ4),
    kafka_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    landed_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (challenger_version, scored_at, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Which version of each model serves, by folding the ledger: the same rules as schemas/ledger/deployment.ts, which a test
-- holds equal. `champions`: the champion and what served before it, newest first.
CREATE VIEW IF NOT EXISTS deployments AS
WITH
    published AS
    (
        SELECT model, arrayReverse(arrayMap(p -> p.2, arraySort(groupArray((offset, version))))) AS champions
        FROM (SELECT model, version, max(kafka_offset) AS offset, argMax(stage, kafka_offset) AS stage FROM model_versions GROUP BY model, version)
        WHERE stage = 'champion'
        GROUP BY model
    ),
    once AS
    (
        SELECT model, min(kafka_offset) AS offset, argMin((version, action, share, champion, decided_by), kafka_offset) AS entry
        FROM model_ledger
        GROUP BY model, entry_id
    ),
    ledgers AS (SELECT model, arrayMap(p -> p.2, arraySort(groupArray((offset, entry)))) AS entries FROM once GROUP BY model)
SELECT
    model,
    folded.1 AS champions,
    folded.1[1] AS champion,
    folded.2 AS challenger,
    folded.3 AS mode,
    folded.4 AS share
FROM
(
    SELECT
        model,
        arrayFold((acc, e) -> multiIf(
            -- a trial begins or goes on
            e.2 = 'shadow', if(e.1 = acc.1[1], acc, (acc.1, e.1, 'shadow', toFloat64(0))),
            e.2 = 'canary', if(e.1 = acc.1[1] OR (e.5 = 'rollout' AND e.1 != acc.2), acc, (acc.1, e.1, 'canary', if(e.3 >= 0, least(e.3, toFloat64(1)), toFloat64(0)))),
            e.2 = 'promoted', if(e.1 = acc.1[1] OR (e.5 = 'rollout' AND e.1 != acc.2), acc, (arraySlice(arrayConcat([e.1], arrayFilter(v -> v != e.1, acc.1)), 1, 16), '', '', toFloat64(0))),
            e.2 = 'refused', if(e.1 = acc.2, (acc.1, '', '', toFloat64(0)), acc),
            -- a challenger's end, or a champion's
            e.2 = 'rolled_back', multiIf(
                e.1 = acc.2, (arrayFilter(v -> v != e.1, acc.1), '', '', toFloat64(0)),
                e.1 = acc.1[1] AND e.4 NOT IN ('', e.1), (arraySlice(arrayConcat([e.4], arrayFilter(v -> v NOT IN (e.1, e.4), acc.1)), 1, 16), '', '', toFloat64(0)),
                e.1 = acc.1[1] AND length(acc.1) > 1, (arrayFilter(v -> v != e.1, acc.1), '', '', toFloat64(0)),
                acc),
            e.2 = 'retired', multiIf(
                e.1 = acc.2, (acc.1, '', '', toFloat64(0)),
                e.1 = acc.1[1] AND length(acc.1) = 1, acc,
                arrayFilter(v -> v != e.1, acc.1)[1] = acc.2, (arrayFilter(v -> v != e.1, acc.1), '', '', toFloat64(0)),
                (arrayFilter(v -> v != e.1, acc.1), acc.2, acc.3, acc.4)),
            acc), entries, (arraySlice(champions, 1, 16), '', '', toFloat64(0))) AS folded
    FROM (SELECT DISTINCT model FROM model_versions UNION DISTINCT SELECT DISTINCT model FROM model_ledger) AS models
    LEFT JOIN published USING (model)
    LEFT JOIN ledgers USING (model)
);

-- Every version with what it is now: champion, shadow, canary, former (served before and may again), else how it was
-- taken out (refused, rolled_back, retired), else the stage that it was published with.
CREATE VIEW IF NOT EXISTS models_now AS
SELECT
    v.model AS model,
    v.version AS version,
    multiIf(
        v.version = d.champion, 'champion',
        v.version = d.challenger, d.mode,
        has(d.champions, v.version), 'former',
        l.action IN ('refused', 'rolled_back', 'retired'), l.action,
        v.stage = 'champion', 'retired',
        v.stage) AS stage,
    if(v.version = d.challenger, d.share, 0) AS share,
    v.family AS family,
    v.view_version AS view_version,
    v.created_at AS created_at,
    v.data_from AS data_from,
    v.data_to AS data_to,
    v.data_rows AS data_rows,
    v.metrics AS metrics,
    l.at AS decided_at,
    l.decided_by AS decided_by,
    l.reason AS reason
FROM
(
    SELECT model, version, argMax(stage, kafka_offset) AS stage, argMax(family, kafka_offset) AS family, argMax(view_version, kafka_offset) AS view_version,
        argMax(created_at, kafka_offset) AS created_at, argMax(data_from, kafka_offset) AS data_from, argMax(data_to, kafka_offset) AS data_to,
        argMax(data_rows, kafka_offset) AS data_rows, argMax(metrics, kafka_offset) AS metrics
    FROM model_versions
    GROUP BY model, version
) AS v
LEFT JOIN deployments AS d ON d.model = v.model
LEFT JOIN
(
    SELECT model, version, argMax(action, kafka_offset) AS action, argMax(model_ledger.at, kafka_offset) AS at,
        argMax(decided_by, kafka_offset) AS decided_by, argMax(reason, kafka_offset) AS reason
    FROM model_ledger
    GROUP BY model, version
) AS l ON l.model = v.model AND l.version = v.version;
