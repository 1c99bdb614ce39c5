CREATE TABLE api_predictions
(
    `request_id` String CODEC(ZSTD(1)),
    `row` UInt32 CODEC(Delta(4), LZ4),
    `source` Enum8('predict' = 0, 'batch' = 1, 'infer' = 2),
    `customer_id` String CODEC(ZSTD(1)),
    `scored_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `score` Float64,
    `decision` LowCardinality(String),
    `model_version` LowCardinality(String),
    `view_version` UInt32,
    `degraded` Bool,
    `features` Array(Float32) CODEC(ZSTD(1)),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(scored_at)
ORDER BY (customer_id, scored_at, request_id, row)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE audit_log
(
    `audit_id` UUID,
    `at` DateTime64(3, 'UTC'),
    `service` LowCardinality(String),
    `actor` String COMMENT 'key:ID, or user:NAME of the machine a command ran on',
    `role` LowCardinality(String),
    `address` String COMMENT 'of the client; empty for a command',
    `action` LowCardinality(String) COMMENT 'keys.create, POST /retrain, ...',
    `target` String,
    `outcome` LowCardinality(String) COMMENT 'done, refused or failed',
    `detail` String COMMENT 'JSON' CODEC(ZSTD(1)),
    `request_id` String,
    `recorded_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (at, audit_id)
SETTINGS index_granularity = 8192;

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

CREATE VIEW deployments
(
    `model` LowCardinality(String),
    `champions` Array(String),
    `champion` String,
    `challenger` String,
    `mode` String,
    `share` Float64
)
AS WITH
    published AS
    (
        SELECT
            model,
            arrayReverse(arrayMap(p -> (p.2), arraySort(groupArray((offset, version))))) AS champions
        FROM
        (
            SELECT
                model,
                version,
                max(kafka_offset) AS offset,
                argMax(stage, kafka_offset) AS stage
            FROM model_versions
            GROUP BY
                model,
                version
        )
        WHERE stage = 'champion'
        GROUP BY model
    ),
    once AS
    (
        SELECT
            model,
            min(kafka_offset) AS offset,
            argMin((version, action, share, champion, decided_by), kafka_offset) AS entry
        FROM model_ledger
        GROUP BY
            model,
            entry_id
    ),
    ledgers AS
    (
        SELECT
            model,
            arrayMap(p -> (p.2), arraySort(groupArray((offset, entry)))) AS entries
        FROM once
        GROUP BY model
    )
SELECT
    model,
    folded.1 AS champions,
    (folded.1)[1] AS champion,
    folded.2 AS challenger,
    folded.3 AS mode,
    folded.4 AS share
FROM
(
    SELECT
        model,
        arrayFold((acc, e) -> multiIf((e.2) = 'shadow', if((e.1) = ((acc.1)[1]), acc, (acc.1, e.1, 'shadow', toFloat64(0))), (e.2) = 'canary', if(((e.1) = ((acc.1)[1])) OR (((e.5) = 'rollout') AND ((e.1) != (acc.2))), acc, (acc.1, e.1, 'canary', if((e.3) >= 0, least(e.3, toFloat64(1)), toFloat64(0)))), (e.2) = 'promoted', if(((e.1) = ((acc.1)[1])) OR (((e.5) = 'rollout') AND ((e.1) != (acc.2))), acc, (arraySlice(arrayConcat([e.1], arrayFilter(v -> (v != (e.1)), acc.1)), 1, 16), '', '', toFloat64(0))), (e.2) = 'refused', if((e.1) = (acc.2), (acc.1, '', '', toFloat64(0)), acc), (e.2) = 'rolled_back', multiIf((e.1) = (acc.2), (arrayFilter(v -> (v != (e.1)), acc.1), '', '', toFloat64(0)), ((e.1) = ((acc.1)[1])) AND ((e.4) NOT IN ('', e.1)), (arraySlice(arrayConcat([e.4], arrayFilter(v -> (v NOT IN (e.1, e.4)), acc.1)), 1, 16), '', '', toFloat64(0)), ((e.1) = ((acc.1)[1])) AND (length(acc.1) > 1), (arrayFilter(v -> (v != (e.1)), acc.1), '', '', toFloat64(0)), acc), (e.2) = 'retired', multiIf((e.1) = (acc.2), (acc.1, '', '', toFloat64(0)), ((e.1) = ((acc.1)[1])) AND (length(acc.1) = 1), acc, (arrayFilter(v -> (v != (e.1)), acc.1)[1]) = (acc.2), (arrayFilter(v -> (v != (e.1)), acc.1), '', '', toFloat64(0)), (arrayFilter(v -> (v != (e.1)), acc.1), acc.2, acc.3, acc.4)), acc), entries, (arraySlice(champions, 1, 16), '', '', toFloat64(0))) AS folded
    FROM
    (
        SELECT DISTINCT model
        FROM model_versions
        UNION DISTINCT
        SELECT DISTINCT model
        FROM model_ledger
    ) AS models
    LEFT JOIN published USING (model)
    LEFT JOIN ledgers USING (model)
);

CREATE TABLE drift_alerts
(
    `alert_id` String,
    `model` LowCardinality(String),
    `model_version` String,
    `cause` LowCardinality(String),
    `channel` LowCardinality(String),
    `window_from` DateTime64(3, 'UTC'),
    `window_to` DateTime64(3, 'UTC'),
    `explanation` String,
    `evidence` Array(Tuple(
        feature String,
        segment String,
        statistic String,
        value Float64,
        threshold Float64,
        p Nullable(Float64),
        n UInt64)),
    `raised_at` DateTime64(3, 'UTC'),
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, alert_id)
SETTINGS index_granularity = 8192;

CREATE TABLE drift_looks
(
    `model` LowCardinality(String),
    `model_version` String,
    `window_from` DateTime64(3, 'UTC'),
    `window_to` DateTime64(3, 'UTC'),
    `mode` LowCardinality(String),
    `tests` UInt32,
    `beyond` UInt32,
    `decision` LowCardinality(String),
    `explanation` String,
    `state` String CODEC(ZSTD(1)),
    `looked_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(looked_at)
ORDER BY (model, model_version, window_to)
SETTINGS index_granularity = 8192;

CREATE TABLE drift_reports
(
    `model` LowCardinality(String),
    `model_version` LowCardinality(String),
    `window_from` DateTime('UTC'),
    `window_to` DateTime('UTC'),
    `against` LowCardinality(String),
    `segment` LowCardinality(String),
    `feature` LowCardinality(String),
    `statistic` LowCardinality(String),
    `value` Float64,
    `baseline` Float64,
    `threshold` Nullable(Float64),
    `p` Nullable(Float64),
    `degrees` UInt32,
    `n` UInt64,
    `n_reference` UInt64,
    `verdict` LowCardinality(String),
    `reported_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(reported_at)
PARTITION BY toYYYYMM(window_to)
ORDER BY (model, window_to, window_from, model_version, against, segment, feature, statistic)
SETTINGS index_granularity = 8192;

CREATE VIEW estimated_performance
COMMENT 'tidemark 699ac8c7afb0e2e5'
AS WITH
    toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}) AS _from_ms,
    toUnixTimestamp64Milli({to:DateTime64(3, 'UTC')}) AS _to_ms,
    if({window_h:UInt32} = 0, _to_ms - _from_ms, toInt64({window_h:UInt32}) * 3600000) AS _width_ms,
    least({to:DateTime64(3, 'UTC')} - toIntervalDay({horizon_days:UInt16}), (
        SELECT max(labelled_to)
        FROM label_runs
        WHERE horizon_days = {horizon_days:UInt16}
    )) AS _reference_to,
    _bins AS
    (
        SELECT
            model_version,
            groupArray(_bin) AS _bins,
            groupArray(_n) AS _ns,
            groupArray(_p) AS _ps
        FROM
        (
            SELECT
                model_version,
                toInt16(greatest(-40, least(40, floor(4 * log(score / (1 - score)))))) AS _bin,
                count() AS _n,
                sum(churned) AS _p
            FROM labelled_predictions
            FINAL
            WHERE (horizon_days = {horizon_days:UInt16}) AND (event_time < _reference_to) AND (event_time >= (_reference_to - toIntervalDay({reference_days:UInt16}))) AND (NOT degraded)
            GROUP BY
                model_version,
                _bin
            ORDER BY
                model_version ASC,
                _bin ASC
        )
        GROUP BY model_version
        HAVING (arraySum(_ns) >= 1000) AND (arraySum(_ps) > 0) AND (arraySum(_ps) < arraySum(_ns))
    ),
    _calibration AS
    (
        SELECT
            model_version AS _version,
            arraySum(_ns) AS _calibrated_on,
            arrayConcat([0], arrayCumSum(_ns)) AS _cn,
            arrayConcat([0], arrayCumSum(_ps)) AS _cp,
            arrayMap(i -> arrayMax(j -> arrayMin(k -> (((_cp[k + 1]) - (_cp[j])) / ((_cn[k + 1]) - (_cn[j]))), range(i, length(_bins) + 1)), range(1, i + 1)), arrayEnumerate(_bins)) AS _rates,
            arrayMap(b -> (_rates[greatest(1, arrayCount(x -> (x <= b), _bins))]), range(-40, 41)) AS _chances
        FROM _bins
    ),
    _predictions AS
    (
        SELECT
            customer_id,
            event_time,
            model_version,
            score,
            decision,
            channel,
            multiIf(isNaN(tenure_days), '', tenure_days < 30, 'tenure=0-30', tenure_days < 90, 'tenure=30-90', tenure_days < 180, 'tenure=90-180', tenure_days < 365, 'tenure=180-365', 'tenure=365+') AS tenure
        FROM predictions
        WHERE (event_time >= {from:DateTime64(3, 'UTC')}) AND (event_time < {to:DateTime64(3, 'UTC')}) AND (NOT degraded)
        ORDER BY
            customer_id ASC,
            event_time ASC,
            kafka_partition ASC,
            kafka_offset ASC
        LIMIT 1 BY
            customer_id,
            event_time,
            prediction_id
    ),
    _rows AS
    (
        SELECT
            customer_id,
            _from_ms + (intDiv(toUnixTimestamp64Milli(event_time) - _from_ms, _width_ms) * _width_ms) AS _window,
            model_version,
            segment,
            score,
            decision = 'at_risk' AS _risk,
            if(_calibrated_on = 0, score, _chances[toInt16(greatest(-40, least(40, floor(4 * log(score / (1 - score)))))) + 41]) AS _y
        FROM _predictions
        LEFT JOIN
        (
            SELECT
                _version,
                _calibrated_on,
                _chances
            FROM _calibration
        ) AS _known ON model_version = _version
        ARRAY JOIN arrayDistinct(['', if(channel = '', '', concat('channel=', channel)), tenure]) AS segment
    ),
    _scores AS
    (
        SELECT
            _window,
            model_version,
            segment,
            score,
            toFloat64(count()) AS _n,
            sum(toFloat64(_y)) AS _p,
            toFloat64(countIf(_risk)) AS _r,
            sumIf(toFloat64(_y), _risk) AS _rp
        FROM _rows
        GROUP BY
            _window,
            model_version,
            segment,
            score
    ),
    _curve AS
    (
        SELECT
            *,
            sum(_n) OVER _up AS _n_up,
            sum(_p) OVER _up AS _p_up,
            sum(_n) OVER _all AS _n_all,
            sum(_p) OVER _all AS _p_all,
            sum(_r) OVER _all AS _r_all,
            sum(_rp) OVER _all AS _rp_all,
            least(greatest(score, 2.220446049250313e-16), 1 - 2.220446049250313e-16) AS _clipped
        FROM _scores
        WINDOW
            _up AS (PARTITION BY _window, model_version, segment ORDER BY score ASC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
            _all AS (PARTITION BY _window, model_version, segment)
    ),
    _figures AS
    (
        SELECT
            _window,
            model_version,
            segment,
            toUInt64(any(_n_all)) AS n,
            any(_p_all) AS positives,
            any(_rp_all) AS tp,
            any(_r_all) - tp AS fp,
            positives - tp AS fn,
            (n - positives) - fp AS tn,
            (tp + tn) / n AS accuracy,
            if((tp + fp) = 0, NULL, tp / (tp + fp)) AS precision,
            if(positives = 0, NULL, tp / positives) AS recall,
            if((((2 * tp) + fp) + fn) = 0, NULL, (2 * tp) / (((2 * tp) + fp) + fn)) AS f1,
            if((positives <= 0) OR (positives >= n), NULL, sum(_p * ((_n_up - _p_up) - ((_n - _p) / 2))) / (positives * (n - positives))) AS auc,
            if(positives = 0, NULL, sum((_p * ((_p_all - _p_up) + _p)) / ((_n_all - _n_up) + _n)) / positives) AS pr_auc,
            sum(((-_p) * log(_clipped)) - ((_n - _p) * log1p(-_clipped))) / n AS log_loss,
            sum(((_p * (1 - score)) * (1 - score)) + (((_n - _p) * score) * score)) / n AS brier,
            arraySum(arrayMap(x -> abs(x), (sumMap([toUInt8(least(floor(score * 10), 9))], [_p - (_n * score)])).2)) / n AS calibration_error,
            if(positives = 0, NULL, (sum((_p * least(greatest((_n_all / 10) - (_n_all - _n_up), 0), _n)) / _n) / (n / 10)) / (positives / n)) AS lift_top_decile,
            sum(_n * score) / n AS score_mean
        FROM _curve
        GROUP BY
            _window,
            model_version,
            segment
    ),
    _influence AS
    (
        SELECT
            _window,
            model_version,
            segment,
            score,
            if((_p_all <= 0) OR (_p_all >= _n_all), NULL, _auc) AS _auc_known,
            _p / _n AS _chance,
            sqrt(greatest(_chance * (1 - _chance), 0)) AS _sd,
            _rp_all / nullIf(_p_all, 0) AS _recall,
            (2 * _rp_all) / nullIf(_r_all + _p_all, 0) AS _f1,
            ((1 - (2 * score)) / _n_all) * _sd AS _d_brier,
            ((log(_clipped / (1 - _clipped)) * -1) / _n_all) * _sd AS _d_log_loss,
            _sd / _n_all AS _d_accuracy,
            _sd / nullIf(_r_all, 0) AS _d_precision,
            _sd / nullIf(_p_all, 0) AS _d_recall,
            _sd / nullIf(_r_all + _p_all, 0) AS _d_f1,
            _sd * (((((_n_up - _p_up) - ((_n - _p) / 2)) - ((_p_all - _p_up) + (_p / 2))) / nullIf(_p_all * (_n_all - _p_all), 0)) - (_auc_known * ((1 / nullIf(_p_all, 0)) - (1 / nullIf(_n_all - _p_all, 0))))) AS _d_auc
        FROM
        (
            SELECT
                _curve.*,
                _figures.auc AS _auc
            FROM _curve
            INNER JOIN _figures USING (_window, model_version, segment)
        )
    ),
    _changes AS
    (
        SELECT
            _window,
            model_version,
            segment,
            customer_id,
            if(_risk, _d_accuracy, -_d_accuracy) AS _c_accuracy,
            if(_risk, _d_precision, 0) AS _c_precision,
            (_risk - _recall) * _d_recall AS _c_recall,
            ((2 * _risk) - _f1) * _d_f1 AS _c_f1,
            _d_auc AS _c_auc,
            _d_log_loss AS _c_log_loss,
            _d_brier AS _c_brier
        FROM _rows
        INNER JOIN _influence USING (_window, model_version, segment, score)
    ),
    _customers AS
    (
        SELECT
            _window,
            model_version,
            segment,
            customer_id,
            greatest(pow(sum(_c_accuracy), 2), sum(_c_accuracy * _c_accuracy)) AS _v_accuracy,
            greatest(pow(sum(_c_precision), 2), sum(_c_precision * _c_precision)) AS _v_precision,
            greatest(pow(sum(_c_recall), 2), sum(_c_recall * _c_recall)) AS _v_recall,
            greatest(pow(sum(_c_f1), 2), sum(_c_f1 * _c_f1)) AS _v_f1,
            greatest(pow(sum(_c_auc), 2), sum(_c_auc * _c_auc)) AS _v_auc,
            greatest(pow(sum(_c_log_loss), 2), sum(_c_log_loss * _c_log_loss)) AS _v_log_loss,
            greatest(pow(sum(_c_brier), 2), sum(_c_brier * _c_brier)) AS _v_brier
        FROM _changes
        GROUP BY
            _window,
            model_version,
            segment,
            customer_id
    ),
    _errors AS
    (
        SELECT
            _window,
            model_version,
            segment,
            count() AS customers,
            1.959963984540054 * sqrt(sum(_v_accuracy)) AS _e_accuracy,
            1.959963984540054 * sqrt(sum(_v_precision)) AS _e_precision,
            1.959963984540054 * sqrt(sum(_v_recall)) AS _e_recall,
            1.959963984540054 * sqrt(sum(_v_f1)) AS _e_f1,
            1.959963984540054 * sqrt(sum(_v_auc)) AS _e_auc,
            1.959963984540054 * sqrt(sum(_v_log_loss)) AS _e_log_loss,
            1.959963984540054 * sqrt(sum(_v_brier)) AS _e_brier
        FROM _customers
        GROUP BY
            _window,
            model_version,
            segment
    )
SELECT
    fromUnixTimestamp64Milli(_window, 'UTC') AS window_from,
    fromUnixTimestamp64Milli(least(_window + _width_ms, _to_ms), 'UTC') AS window_to,
    model_version,
    segment,
    n,
    positives,
    tp,
    fp,
    fn,
    tn,
    accuracy,
    precision,
    recall,
    f1,
    auc,
    pr_auc,
    log_loss,
    brier,
    calibration_error,
    lift_top_decile,
    score_mean,
    customers,
    _calibrated_on AS calibrated_on,
    greatest(accuracy - _e_accuracy, 0) AS accuracy_low,
    least(accuracy + _e_accuracy, 1) AS accuracy_high,
    greatest(precision - _e_precision, 0) AS precision_low,
    least(precision + _e_precision, 1) AS precision_high,
    greatest(recall - _e_recall, 0) AS recall_low,
    least(recall + _e_recall, 1) AS recall_high,
    greatest(f1 - _e_f1, 0) AS f1_low,
    least(f1 + _e_f1, 1) AS f1_high,
    greatest(auc - _e_auc, 0) AS auc_low,
    least(auc + _e_auc, 1) AS auc_high,
    greatest(log_loss - _e_log_loss, 0) AS log_loss_low,
    log_loss + _e_log_loss AS log_loss_high,
    greatest(brier - _e_brier, 0) AS brier_low,
    least(brier + _e_brier, 1) AS brier_high
FROM
(
    SELECT *
    FROM _figures
    INNER JOIN _errors USING (_window, model_version, segment)
) AS _estimated
LEFT JOIN
(
    SELECT
        _version,
        _calibrated_on
    FROM _calibration
) AS _known ON model_version = _version;

CREATE TABLE event_clocks
(
    `kafka_partition` Int32,
    `hour` DateTime('UTC'),
    `customers` AggregateFunction(uniqCombined(12), String),
    `landed_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYear(hour)
ORDER BY (kafka_partition, hour)
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

CREATE VIEW event_times
(
    `first` DateTime64(3, 'UTC'),
    `watermark` DateTime64(3, 'UTC'),
    `events` UInt64,
    `outside` UInt64
)
AS SELECT
    minIf(_first, _hour >= (_begun - 86400)) AS first,
    maxIf(_latest, _hour <= (_reached + 86400)) AS watermark,
    sum(_rows) AS events,
    sumIf(_rows, (_hour < (_begun - 86400)) OR (_hour > (_reached + 86400))) AS outside
FROM
(
    SELECT
        _hour,
        _first,
        _latest,
        _rows,
        min(if(_up_to >= _few, _hour, NULL)) OVER () AS _begun,
        max(if(_from_here >= _few, _hour, NULL)) OVER () AS _reached
    FROM
    (
        SELECT
            _hour,
            _first,
            _latest,
            _rows,
            sum(_rows) OVER (ORDER BY _hour ASC) AS _up_to,
            sum(_rows) OVER (ORDER BY _hour DESC) AS _from_here,
            least(sum(_rows) OVER (), greatest(8, intDiv(sum(_rows) OVER (), 1000))) AS _few
        FROM
        (
            SELECT
                toUnixTimestamp(toStartOfHour(event_time)) AS _hour,
                min(event_time) AS _first,
                max(event_time) AS _latest,
                count() AS _rows
            FROM events
            GROUP BY _hour
        )
    )
);

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

CREATE MATERIALIZED VIEW events_to_event_clocks TO event_clocks
(
    `kafka_partition` Int32,
    `hour` DateTime('UTC'),
    `customers` AggregateFunction(uniqCombined(12), String),
    `landed_at` DateTime64(3, 'UTC')
)
AS SELECT
    kafka_partition,
    toStartOfHour(event_time) AS hour,
    uniqCombinedState(12)(customer_id) AS customers,
    max(events.landed_at) AS landed_at
FROM events
GROUP BY
    kafka_partition,
    hour;

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

CREATE MATERIALIZED VIEW events_to_label_changes TO label_changes
(
    `kind` String,
    `customer_id` String,
    `event_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC')
)
AS SELECT
    'purchase' AS kind,
    customer_id,
    event_time,
    landed_at
FROM events
WHERE event_type = 'purchase';

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

CREATE TABLE feature_segment_hours
(
    `hour` DateTime('UTC'),
    `segment` LowCardinality(String),
    `model_version` LowCardinality(String),
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `feature` LowCardinality(String),
    `bin` Int16,
    `rows` SimpleAggregateFunction(sum, UInt64),
    `total` SimpleAggregateFunction(sum, Float64),
    `low` SimpleAggregateFunction(min, Float64),
    `high` SimpleAggregateFunction(max, Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (segment, feature, model_version, hour, trigger, bin)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE label_changes
(
    `kind` Enum8('prediction' = 0, 'purchase' = 1, 'outcome' = 2),
    `customer_id` String CODEC(ZSTD(1)),
    `event_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `landed_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(landed_at)
ORDER BY landed_at
TTL toDateTime(landed_at) + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, index_granularity = 8192;

CREATE TABLE label_hours
(
    `horizon_days` UInt16,
    `hour` DateTime('UTC'),
    `revision` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (horizon_days, hour)
SETTINGS index_granularity = 8192;

CREATE TABLE label_runs
(
    `horizon_days` UInt16,
    `labelled_to` DateTime64(3, 'UTC'),
    `changes_to` DateTime64(3, 'UTC'),
    `finished_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (horizon_days, finished_at)
SETTINGS index_granularity = 8192;

CREATE VIEW label_watermark
(
    `watermark` DateTime64(3, 'UTC'),
    `idle_partitions` UInt64
)
COMMENT 'tidemark 5cc891aef2489c39'
AS SELECT
    toDateTime64(minIf(_clock, _last >= (_latest - toIntervalHour(1))), 3, 'UTC') AS watermark,
    countIf(_last < (_latest - toIntervalHour(1))) AS idle_partitions
FROM
(
    SELECT
        kafka_partition,
        maxIf(hour, _customers >= least(8, ceil(_all / 2))) AS _clock,
        max(_landed) AS _last,
        max(max(_landed)) OVER () AS _latest
    FROM
    (
        SELECT
            kafka_partition,
            hour,
            _customers,
            max(_customers) OVER (PARTITION BY kafka_partition) AS _all,
            _landed
        FROM
        (
            SELECT
                kafka_partition,
                hour,
                uniqCombinedMerge(12)(_state) OVER (PARTITION BY kafka_partition ORDER BY hour DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _customers,
                max(_landed_at) OVER (PARTITION BY kafka_partition) AS _landed
            FROM
            (
                SELECT
                    kafka_partition,
                    hour,
                    uniqCombinedMergeState(12)(customers) AS _state,
                    max(landed_at) AS _landed_at
                FROM event_clocks
                GROUP BY
                    kafka_partition,
                    hour
                ORDER BY
                    kafka_partition ASC,
                    hour DESC
                LIMIT 1000 BY kafka_partition
            )
        )
    )
    GROUP BY kafka_partition
);

CREATE TABLE labelled_predictions
(
    `horizon_days` UInt16,
    `prediction_id` String CODEC(ZSTD(1)),
    `customer_id` String CODEC(ZSTD(1)),
    `event_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `model_version` LowCardinality(String),
    `score` Float64,
    `decision` LowCardinality(String),
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `degraded` Bool,
    `channel` LowCardinality(String),
    `tenure` LowCardinality(String),
    `churned` UInt8,
    `source` LowCardinality(String),
    `revision` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (horizon_days, customer_id, event_time, prediction_id)
SETTINGS index_granularity = 8192;

CREATE MATERIALIZED VIEW labelled_predictions_to_label_hours TO label_hours
(
    `horizon_days` UInt16,
    `hour` DateTime('UTC'),
    `revision` DateTime64(3, 'UTC')
)
AS SELECT
    horizon_days,
    toStartOfHour(event_time) AS hour,
    max(labelled_predictions.revision) AS revision
FROM labelled_predictions
GROUP BY
    horizon_days,
    hour;

CREATE VIEW labels
COMMENT 'tidemark 8f5c4f2a3407ee60'
AS WITH
    {from:DateTime64(3, 'UTC')} AS _from,
    {to:DateTime64(3, 'UTC')} AS _to,
    toIntervalDay({horizon_days:UInt16}) AS _horizon,
    _predictions AS
    (
        SELECT
            prediction_id,
            customer_id,
            event_time,
            event_time + _horizon AS _until,
            model_version,
            score,
            decision,
            trigger,
            degraded,
            channel,
            multiIf(isNaN(tenure_days), '', tenure_days < 30, 'tenure=0-30', tenure_days < 90, 'tenure=30-90', tenure_days < 180, 'tenure=90-180', tenure_days < 365, 'tenure=180-365', 'tenure=365+') AS tenure
        FROM predictions
        WHERE (event_time >= _from) AND (event_time < _to) AND (event_time < (((
            SELECT watermark
            FROM label_watermark
        ) - _horizon) - toIntervalHour({lateness_h:UInt32})))
        ORDER BY
            customer_id ASC,
            event_time ASC,
            kafka_partition ASC,
            kafka_offset ASC
        LIMIT 1 BY
            customer_id,
            event_time,
            prediction_id
    ),
    _purchases AS
    (
        SELECT
            customer_id,
            event_time AS _bought_at
        FROM events
        WHERE (event_type = 'purchase') AND (event_time > _from) AND (event_time < (_to + _horizon))
    ),
    _outcomes AS
    (
        SELECT
            customer_id,
            observed_at AS _observed_at,
            argMax(outcome, (kafka_partition, kafka_offset)) AS _outcome
        FROM outcomes
        WHERE (observed_at > _from) AND (observed_at < (_to + _horizon))
        GROUP BY
            customer_id,
            _observed_at
    )
SELECT
    prediction_id,
    _labelled.customer_id AS customer_id,
    event_time,
    model_version,
    score,
    decision,
    trigger,
    degraded,
    channel,
    tenure,
    toUInt8(if(_observed_at > event_time, _outcome, NOT ((_bought_at > event_time) AND (_bought_at <= _until)))) AS churned,
    if(_observed_at > event_time, 'outcome', 'events') AS source
FROM
(
    SELECT
        _predictions.*,
        _purchases._bought_at AS _bought_at
    FROM _predictions
    ASOF LEFT JOIN _purchases ON (_predictions.customer_id = _purchases.customer_id) AND (_predictions.event_time < _purchases._bought_at)
) AS _labelled
ASOF LEFT JOIN _outcomes ON (_labelled.customer_id = _outcomes.customer_id) AND (_labelled._until >= _outcomes._observed_at);

CREATE TABLE model_ledger
(
    `entry_id` String,
    `at` DateTime64(3, 'UTC'),
    `model` LowCardinality(String),
    `version` String,
    `action` LowCardinality(String),
    `share` Float64,
    `champion` String,
    `decided_by` LowCardinality(String),
    `reason` String,
    `evidence` String,
    `retrain_event_id` String,
    `kafka_partition` Int32,
    `kafka_offset` UInt64,
    `kafka_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE VIEW model_profiles
(
    `model` LowCardinality(String),
    `version` String,
    `feature` LowCardinality(String),
    `segment` LowCardinality(String),
    `bins` Array(Int16),
    `rows` Array(UInt64),
    `total` Float64,
    `squares` Float64,
    `low` Float64,
    `high` Float64
)
AS SELECT
    model,
    version,
    feature,
    segment,
    bins,
    rows,
    total,
    squares,
    low,
    high
FROM
(
    SELECT
        model,
        version,
        profile_features,
        profile_segments,
        profile_bins,
        profile_rows,
        profile_totals,
        profile_squares,
        profile_lows,
        profile_highs
    FROM model_versions
    WHERE notEmpty(profile_features)
    ORDER BY kafka_offset DESC
    LIMIT 1 BY
        model,
        version
)
ARRAY JOIN
    profile_features AS feature,
    profile_segments AS segment,
    profile_bins AS bins,
    profile_rows AS rows,
    profile_totals AS total,
    profile_squares AS squares,
    profile_lows AS low,
    profile_highs AS high;

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
    `profile_features` Array(LowCardinality(String)),
    `profile_segments` Array(LowCardinality(String)),
    `profile_bins` Array(Array(Int16)) CODEC(ZSTD(1)),
    `profile_rows` Array(Array(UInt64)) CODEC(ZSTD(1)),
    `profile_totals` Array(Float64),
    `profile_squares` Array(Float64),
    `profile_lows` Array(Float64),
    `profile_highs` Array(Float64),
    `kafka_partition` Int32,
    `kafka_offset` UInt64,
    `kafka_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, version, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE VIEW models_now
(
    `model` LowCardinality(String),
    `version` String,
    `stage` String,
    `share` Float64,
    `family` String,
    `view_version` UInt16,
    `created_at` DateTime64(3, 'UTC'),
    `data_from` DateTime64(3, 'UTC'),
    `data_to` DateTime64(3, 'UTC'),
    `data_rows` UInt64,
    `metrics` Map(String, Float64),
    `decided_at` DateTime64(3, 'UTC'),
    `decided_by` String,
    `reason` String
)
AS SELECT
    v.model AS model,
    v.version AS version,
    multiIf(v.version = d.champion, 'champion', v.version = d.challenger, d.mode, has(d.champions, v.version), 'former', (l.action IN ('refused', 'rolled_back', 'retired')), l.action, v.stage = 'champion', 'retired', v.stage) AS stage,
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
    SELECT
        model,
        version,
        argMax(stage, kafka_offset) AS stage,
        argMax(family, kafka_offset) AS family,
        argMax(view_version, kafka_offset) AS view_version,
        argMax(created_at, kafka_offset) AS created_at,
        argMax(data_from, kafka_offset) AS data_from,
        argMax(data_to, kafka_offset) AS data_to,
        argMax(data_rows, kafka_offset) AS data_rows,
        argMax(metrics, kafka_offset) AS metrics
    FROM model_versions
    GROUP BY
        model,
        version
) AS v
LEFT JOIN deployments AS d ON d.model = v.model
LEFT JOIN
(
    SELECT
        model,
        version,
        argMax(action, kafka_offset) AS action,
        argMax(model_ledger.at, kafka_offset) AS at,
        argMax(decided_by, kafka_offset) AS decided_by,
        argMax(reason, kafka_offset) AS reason
    FROM model_ledger
    GROUP BY
        model,
        version
) AS l ON (l.model = v.model) AND (l.version = v.version);

CREATE TABLE outcomes
(
    `customer_id` String CODEC(ZSTD(1)),
    `outcome` UInt8,
    `observed_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `kafka_partition` Int32,
    `kafka_offset` UInt64 CODEC(Delta(8), LZ4),
    `kafka_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(observed_at)
ORDER BY (customer_id, observed_at, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE MATERIALIZED VIEW outcomes_to_label_changes TO label_changes
(
    `kind` String,
    `customer_id` String,
    `event_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC')
)
AS SELECT
    'outcome' AS kind,
    customer_id,
    observed_at AS event_time,
    landed_at
FROM outcomes;

CREATE VIEW performance
COMMENT 'tidemark 54d690e76e9f5a92'
AS WITH
    toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}) AS _from_ms,
    toUnixTimestamp64Milli({to:DateTime64(3, 'UTC')}) AS _to_ms,
    if({window_h:UInt32} = 0, _to_ms - _from_ms, toInt64({window_h:UInt32}) * 3600000) AS _width_ms,
    _rows AS
    (
        SELECT
            _from_ms + (intDiv(toUnixTimestamp64Milli(event_time) - _from_ms, _width_ms) * _width_ms) AS _window,
            model_version,
            segment,
            score,
            decision = 'at_risk' AS _risk,
            churned AS _y
        FROM labelled_predictions
        FINAL
        ARRAY JOIN arrayDistinct(['', if(channel = '', '', concat('channel=', channel)), tenure]) AS segment
        WHERE (horizon_days = {horizon_days:UInt16}) AND (event_time >= {from:DateTime64(3, 'UTC')}) AND (event_time < {to:DateTime64(3, 'UTC')}) AND (NOT degraded)
    ),
    _scores AS
    (
        SELECT
            _window,
            model_version,
            segment,
            score,
            toFloat64(count()) AS _n,
            sum(toFloat64(_y)) AS _p,
            toFloat64(countIf(_risk)) AS _r,
            sumIf(toFloat64(_y), _risk) AS _rp
        FROM _rows
        GROUP BY
            _window,
            model_version,
            segment,
            score
    ),
    _curve AS
    (
        SELECT
            *,
            sum(_n) OVER _up AS _n_up,
            sum(_p) OVER _up AS _p_up,
            sum(_n) OVER _all AS _n_all,
            sum(_p) OVER _all AS _p_all,
            sum(_r) OVER _all AS _r_all,
            sum(_rp) OVER _all AS _rp_all,
            least(greatest(score, 2.220446049250313e-16), 1 - 2.220446049250313e-16) AS _clipped
        FROM _scores
        WINDOW
            _up AS (PARTITION BY _window, model_version, segment ORDER BY score ASC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
            _all AS (PARTITION BY _window, model_version, segment)
    ),
    _figures AS
    (
        SELECT
            _window,
            model_version,
            segment,
            toUInt64(any(_n_all)) AS n,
            any(_p_all) AS positives,
            any(_rp_all) AS tp,
            any(_r_all) - tp AS fp,
            positives - tp AS fn,
            (n - positives) - fp AS tn,
            (tp + tn) / n AS accuracy,
            if((tp + fp) = 0, NULL, tp / (tp + fp)) AS precision,
            if(positives = 0, NULL, tp / positives) AS recall,
            if((((2 * tp) + fp) + fn) = 0, NULL, (2 * tp) / (((2 * tp) + fp) + fn)) AS f1,
            if((positives <= 0) OR (positives >= n), NULL, sum(_p * ((_n_up - _p_up) - ((_n - _p) / 2))) / (positives * (n - positives))) AS auc,
            if(positives = 0, NULL, sum((_p * ((_p_all - _p_up) + _p)) / ((_n_all - _n_up) + _n)) / positives) AS pr_auc,
            sum(((-_p) * log(_clipped)) - ((_n - _p) * log1p(-_clipped))) / n AS log_loss,
            sum(((_p * (1 - score)) * (1 - score)) + (((_n - _p) * score) * score)) / n AS brier,
            arraySum(arrayMap(x -> abs(x), (sumMap([toUInt8(least(floor(score * 10), 9))], [_p - (_n * score)])).2)) / n AS calibration_error,
            if(positives = 0, NULL, (sum((_p * least(greatest((_n_all / 10) - (_n_all - _n_up), 0), _n)) / _n) / (n / 10)) / (positives / n)) AS lift_top_decile,
            sum(_n * score) / n AS score_mean
        FROM _curve
        GROUP BY
            _window,
            model_version,
            segment
    )
SELECT
    fromUnixTimestamp64Milli(_window, 'UTC') AS window_from,
    fromUnixTimestamp64Milli(least(_window + _width_ms, _to_ms), 'UTC') AS window_to,
    * EXCEPT _window
FROM _figures;

CREATE TABLE performance_looks
(
    `model` LowCardinality(String),
    `model_version` String,
    `window_from` DateTime64(3, 'UTC'),
    `window_to` DateTime64(3, 'UTC'),
    `metric` LowCardinality(String),
    `value` Float64,
    `promised` Nullable(Float64),
    `former` Nullable(Float64),
    `customers` UInt64,
    `n` UInt64,
    `mode` LowCardinality(String),
    `decision` LowCardinality(String),
    `explanation` String,
    `state` String CODEC(ZSTD(1)),
    `looked_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(looked_at)
ORDER BY (model, model_version, window_to)
SETTINGS index_granularity = 8192;

CREATE TABLE performance_reports
(
    `kind` Enum8('realised' = 0, 'estimated' = 1),
    `horizon_days` UInt16,
    `window_from` DateTime64(3, 'UTC'),
    `window_to` DateTime64(3, 'UTC'),
    `model_version` LowCardinality(String),
    `segment` LowCardinality(String),
    `metric` LowCardinality(String),
    `value` Nullable(Float64),
    `low` Nullable(Float64),
    `high` Nullable(Float64),
    `n` UInt64,
    `positives` Float64,
    `calibrated_on` UInt64,
    `landed` UInt64,
    `computed_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
PARTITION BY toYYYYMM(window_from)
ORDER BY (kind, horizon_days, model_version, segment, metric, window_from, window_to)
SETTINGS index_granularity = 8192;

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
    `runtime` LowCardinality(String),
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

CREATE MATERIALIZED VIEW predictions_to_feature_segment_hours TO feature_segment_hours
(
    `hour` DateTime('UTC'),
    `segment` String,
    `model_version` String,
    `trigger` Enum8('event' = 0, 'sweep' = 1),
    `feature` String,
    `bin` Int16,
    `rows` UInt64,
    `total` Float64,
    `low` Float64,
    `high` Float64
)
AS SELECT
    hour,
    segment,
    version AS model_version,
    trigger,
    ['score', 'events_24h', 'events_7d', 'events_30d', 'purchases_7d', 'purchases_30d', 'purchases_90d', 'spend_7d', 'spend_30d', 'spend_90d', 'refunds_90d', 'tickets_30d', 'carts_7d', 'active_days_30d', 'tenure_days', 'days_since_last_purchase', 'purchase_gap_mean_days', 'purchase_gap_std_days', 'order_value_mean', 'order_value_std', 'last_order_value'][place] AS feature,
    bin,
    rows,
    total,
    low,
    high
FROM
(
    SELECT
        hour,
        any(model_version) AS version,
        any(channel) AS channel_name,
        tenure_place,
        trigger,
        place,
        toInt16(multiIf(isNaN(value), 32767, value = 0, 0, value > 0, 10000 + least(greatest(floor(log2(value) * 32), -8000), 8000), -(10000 + least(greatest(floor(log2(-value) * 32), -8000), 8000)))) AS bin,
        count() AS rows,
        sum(if(isNaN(value), 0, value)) AS total,
        min(if(isNaN(value), 0, value)) AS low,
        max(if(isNaN(value), 0, value)) AS high
    FROM
    (
        SELECT
            toStartOfHour(event_time) AS hour,
            model_version,
            cityHash64(model_version) AS version_key,
            channel,
            cityHash64(channel) AS channel_key,
            toUInt8(indexOf(['tenure=0-30', 'tenure=30-90', 'tenure=90-180', 'tenure=180-365', 'tenure=365+'], multiIf(isNaN(tenure_days), '', tenure_days < 30, 'tenure=0-30', tenure_days < 90, 'tenure=30-90', tenure_days < 180, 'tenure=90-180', tenure_days < 365, 'tenure=180-365', 'tenure=365+'))) AS tenure_place,
            trigger,
            [score, events_24h, events_7d, events_30d, purchases_7d, purchases_30d, purchases_90d, spend_7d, spend_30d, spend_90d, refunds_90d, tickets_30d, carts_7d, active_days_30d, tenure_days, days_since_last_purchase, purchase_gap_mean_days, purchase_gap_std_days, order_value_mean, order_value_std, last_order_value] AS `values`
        FROM predictions
    )
    ARRAY JOIN
        CAST(range(1, 22), 'Array(UInt8)') AS place,
        `values` AS value
    GROUP BY
        hour,
        version_key,
        channel_key,
        tenure_place,
        trigger,
        place,
        bin
)
ARRAY JOIN arrayFilter(name -> (name != ''), [if(channel_name = '', '', concat('channel=', channel_name)), ['tenure=0-30', 'tenure=30-90', 'tenure=90-180', 'tenure=180-365', 'tenure=365+'][tenure_place]]) AS segment;

CREATE MATERIALIZED VIEW predictions_to_label_changes TO label_changes
(
    `kind` String,
    `customer_id` String,
    `event_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC')
)
AS SELECT
    'prediction' AS kind,
    customer_id,
    event_time,
    landed_at
FROM predictions;

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

CREATE TABLE quarantined_windows
(
    `quarantine_id` String,
    `model` LowCardinality(String),
    `window_from` DateTime64(3, 'UTC'),
    `window_to` DateTime64(3, 'UTC'),
    `channel` LowCardinality(String),
    `cause` LowCardinality(String),
    `created_at` DateTime64(3, 'UTC'),
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, quarantine_id)
SETTINGS index_granularity = 8192;

CREATE TABLE retrain_events
(
    `event_id` String,
    `decided_at` DateTime64(3, 'UTC'),
    `reason` LowCardinality(String),
    `decision` LowCardinality(String),
    `model` LowCardinality(String),
    `model_version` String,
    `window_from` DateTime64(3, 'UTC'),
    `window_to` DateTime64(3, 'UTC'),
    `evidence` Array(Tuple(
        feature String,
        segment String,
        statistic String,
        value Float64,
        threshold Float64,
        p Nullable(Float64),
        n UInt64)),
    `explanation` String,
    `expected_gain` Nullable(Float64),
    `dedupe_key` String,
    `cooldown_until` DateTime64(3, 'UTC'),
    `requested_by` String,
    `kafka_partition` Int32,
    `kafka_offset` UInt64,
    `kafka_time` DateTime64(3, 'UTC'),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (model, decided_at, event_id)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

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

CREATE VIEW scores
(
    `kind` String,
    `prediction_id` String,
    `customer_id` String,
    `event_time` DateTime64(3, 'UTC'),
    `scored_at` DateTime64(3, 'UTC'),
    `score` Float64,
    `decision` LowCardinality(String),
    `model_version` LowCardinality(String),
    `view_version` UInt32,
    `degraded` Bool,
    `features` Array(Float32)
)
COMMENT 'tidemark add66ec220b0d097'
AS SELECT
    'stream' AS kind,
    prediction_id,
    customer_id,
    event_time,
    scored_at,
    score,
    decision,
    model_version,
    toUInt32(view_version) AS view_version,
    degraded,
    [toFloat32(events_24h), toFloat32(events_7d), toFloat32(events_30d), toFloat32(purchases_7d), toFloat32(purchases_30d), toFloat32(purchases_90d), toFloat32(spend_7d), toFloat32(spend_30d), toFloat32(spend_90d), toFloat32(refunds_90d), toFloat32(tickets_30d), toFloat32(carts_7d), toFloat32(active_days_30d), toFloat32(tenure_days), toFloat32(days_since_last_purchase), toFloat32(purchase_gap_mean_days), toFloat32(purchase_gap_std_days), toFloat32(order_value_mean), toFloat32(order_value_std), toFloat32(last_order_value)] AS features
FROM predictions
UNION ALL
SELECT
    'api' AS kind,
    concat(request_id, '/', toString(row)) AS prediction_id,
    customer_id,
    scored_at AS event_time,
    scored_at,
    score,
    decision,
    model_version,
    view_version,
    degraded,
    features
FROM api_predictions;

CREATE TABLE shadow_predictions
(
    `prediction_id` String CODEC(ZSTD(1)),
    `customer_id` String CODEC(ZSTD(1)),
    `event_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `scored_at` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `mode` LowCardinality(String),
    `share` Float64,
    `champion_version` LowCardinality(String),
    `challenger_version` LowCardinality(String),
    `champion_score` Float64,
    `challenger_score` Float64,
    `champion_degraded` Bool,
    `challenger_degraded` Bool,
    `champion_us` Float64,
    `challenger_us` Float64,
    `kafka_partition` Int32,
    `kafka_offset` UInt64 CODEC(Delta(8), LZ4),
    `kafka_time` DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    `landed_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), LZ4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(event_time)
ORDER BY (challenger_version, scored_at, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;

CREATE TABLE training_runs
(
    `run_id` String,
    `model` LowCardinality(String),
    `retrain_event_id` String,
    `status` LowCardinality(String) COMMENT 'running, trained, deployed, kept or failed',
    `version` String,
    `family` LowCardinality(String),
    `data_hash` String,
    `dataset_id` String,
    `data_rows` UInt64,
    `metrics` Map(LowCardinality(String), Float64),
    `error` String,
    `detail` String COMMENT 'JSON: families and trials, expectations, cleaning, calibration, the decision' CODEC(ZSTD(1)),
    `started_at` DateTime64(3, 'UTC'),
    `took_ms` UInt64,
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, run_id)
SETTINGS index_granularity = 8192;

CREATE TABLE training_stages
(
    `run_id` String,
    `model` LowCardinality(String),
    `ordinal` UInt16,
    `stage` LowCardinality(String),
    `status` LowCardinality(String) COMMENT 'running, done or failed',
    `started_at` DateTime64(3, 'UTC'),
    `took_ms` UInt64,
    `detail` String COMMENT 'JSON' CODEC(ZSTD(1)),
    `error` String,
    `updated_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (model, run_id, ordinal)
SETTINGS index_granularity = 8192;

