-- How good the predictions made in [from, to) will turn out if the scores mean what they say: confidence-based performance
-- estimation, with a 95 % interval, before any label is known. A score stands for its chance of churn once it is calibrated on
-- the labels of the same model version of the reference_days before (isotonic; with fewer than 1000 of them scores are taken
-- as they are, calibrated_on = 0). Windows, segments and figures are those of `performance`; counts are expected counts.
WITH
    toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}) AS _from_ms,
    toUnixTimestamp64Milli({to:DateTime64(3, 'UTC')}) AS _to_ms,
    if({window_h:UInt32} = 0, _to_ms - _from_ms, toInt64({window_h:UInt32}) * 3600000) AS _width_ms,
    -- What was labelled by the end of the windows: an estimate of a past window must not know later labels.
    least({to:DateTime64(3, 'UTC')} - toIntervalDay({horizon_days:UInt16}), (SELECT max(labelled_to) FROM label_runs WHERE horizon_days = {horizon_days:UInt16})) AS _reference_to,
    _bins AS
    (
        SELECT model_version, groupArray(_bin) AS _bins, groupArray(_n) AS _ns, groupArray(_p) AS _ps
        FROM
        (
            SELECT model_version, __SCORE_BIN__ AS _bin, count() AS _n, sum(churned) AS _p
            FROM labelled_predictions FINAL
            WHERE horizon_days = {horizon_days:UInt16} AND event_time < _reference_to AND event_time >= _reference_to - toIntervalDay({reference_days:UInt16}) AND NOT degraded
            GROUP BY model_version, _bin
            ORDER BY model_version, _bin
        )
        GROUP BY model_version
        HAVING arraySum(_ns) >= 1000 AND arraySum(_ps) > 0 AND arraySum(_ps) < arraySum(_ns)
    ),
    -- Isotonic regression over the bins by its max-min formula; a bin that was not seen takes the one below, or the first.
    _calibration AS
    (
        SELECT
            model_version AS _version,
            arraySum(_ns) AS _calibrated_on,
            arrayConcat([0], arrayCumSum(_ns)) AS _cn,
            arrayConcat([0], arrayCumSum(_ps)) AS _cp,
            arrayMap(i -> arrayMax(j -> arrayMin(k -> (_cp[k + 1] - _cp[j]) / (_cn[k + 1] - _cn[j]), range(i, length(_bins) + 1)), range(1, i + 1)), arrayEnumerate(_bins)) AS _rates,
            arrayMap(b -> _rates[greatest(1, arrayCount(x -> x <= b, _bins))], range(-40, 41)) AS _chances
        FROM _bins
    ),
    _predictions AS
    (
        SELECT customer_id, event_time, model_version, score, decision, channel, __TENURE__ AS tenure
        FROM predictions
        WHERE event_time >= {from:DateTime64(3, 'UTC')} AND event_time < {to:DateTime64(3, 'UTC')} AND NOT degraded
        ORDER BY customer_id, event_time, kafka_partition, kafka_offset
        LIMIT 1 BY customer_id, event_time, prediction_id
    ),
    _rows AS
    (
        SELECT
            customer_id,
            _from_ms + intDiv(toUnixTimestamp64Milli(event_time) - _from_ms, _width_ms) * _width_ms AS _window,
            model_version, segment, score, decision = 'at_risk' AS _risk,
            if(_calibrated_on = 0, score, _chances[__SCORE_BIN__ + 41]) AS _y
        FROM _predictions
        LEFT JOIN (SELECT _version, _calibrated_on, _chances FROM _calibration) AS _known ON model_version = _version
        ARRAY JOIN arrayDistinct(['', if(channel = '', '', concat('channel=', channel)), tenure]) AS segment
    ),
__FIGURES__,
    -- What one more outcome of a row changes in each figure (its derivative), times the outcome's standard deviation.
    _influence AS
    (
        SELECT
            _window, model_version, segment, score,
            if(_p_all <= 0 OR _p_all >= _n_all, NULL, _auc) AS _auc_known,
            _p / _n AS _chance,
            sqrt(greatest(_chance * (1 - _chance), 0)) AS _sd,
            _rp_all / nullIf(_p_all, 0) AS _recall,
            2 * _rp_all / nullIf(_r_all + _p_all, 0) AS _f1,
            (1 - 2 * score) / _n_all * _sd AS _d_brier,
            log(_clipped / (1 - _clipped)) * -1 / _n_all * _sd AS _d_log_loss,
            _sd / _n_all AS _d_accuracy,
            _sd / nullIf(_r_all, 0) AS _d_precision,
            _sd / nullIf(_p_all, 0) AS _d_recall,
            _sd / nullIf(_r_all + _p_all, 0) AS _d_f1,
            _sd * (((_n_up - _p_up) - (_n - _p) / 2 - (_p_all - _p_up + _p / 2)) / nullIf(_p_all * (_n_all - _p_all), 0)
                - _auc_known * (1 / nullIf(_p_all, 0) - 1 / nullIf(_n_all - _p_all, 0))) AS _d_auc
        FROM (SELECT _curve.*, _figures.auc AS _auc FROM _curve INNER JOIN _figures USING (_window, model_version, segment))
    ),
    _changes AS
    (
        SELECT
            _window, model_version, segment, customer_id,
            if(_risk, _d_accuracy, -_d_accuracy) AS _c_accuracy,
            if(_risk, _d_precision, 0) AS _c_precision,
            (_risk - _recall) * _d_recall AS _c_recall,
            (2 * _risk - _f1) * _d_f1 AS _c_f1,
            _d_auc AS _c_auc,
            _d_log_loss AS _c_log_loss,
            _d_brier AS _c_brier
        FROM _rows
        INNER JOIN _influence USING (_window, model_version, segment, score)
    ),
    -- A customer's outcomes within one window are nearly the same outcome: their changes add up before they are squared. Where
    -- they would cancel out, as with scores far apart, they are taken as independent.
    _customers AS
    (
        SELECT
            _window, model_version, segment, customer_id,
            greatest(pow(sum(_c_accuracy), 2), sum(_c_accuracy * _c_accuracy)) AS _v_accuracy,
            greatest(pow(sum(_c_precision), 2), sum(_c_precision * _c_precision)) AS _v_precision,
            greatest(pow(sum(_c_recall), 2), sum(_c_recall * _c_recall)) AS _v_recall,
            greatest(pow(sum(_c_f1), 2), sum(_c_f1 * _c_f1)) AS _v_f1,
            greatest(pow(sum(_c_auc), 2), sum(_c_auc * _c_auc)) AS _v_auc,
            greatest(pow(sum(_c_log_loss), 2), sum(_c_log_loss * _c_log_loss)) AS _v_log_loss,
            greatest(pow(sum(_c_brier), 2), sum(_c_brier * _c_brier)) AS _v_brier
        FROM _changes
        GROUP BY _window, model_version, segment, customer_id
    ),
    _errors AS
    (
        SELECT
            _window, model_version, segment,
            count() AS customers,
            1.959963984540054 * sqrt(sum(_v_accuracy)) AS _e_accuracy,
            1.959963984540054 * sqrt(sum(_v_precision)) AS _e_precision,
            1.959963984540054 * sqrt(sum(_v_recall)) AS _e_recall,
            1.959963984540054 * sqrt(sum(_v_f1)) AS _e_f1,
            1.959963984540054 * sqrt(sum(_v_auc)) AS _e_auc,
            1.959963984540054 * sqrt(sum(_v_log_loss)) AS _e_log_loss,
            1.959963984540054 * sqrt(sum(_v_brier)) AS _e_brier
        FROM _customers
        GROUP BY _window, model_version, segment
    )
SELECT
    fromUnixTimestamp64Milli(_window, 'UTC') AS window_from,
    fromUnixTimestamp64Milli(least(_window + _width_ms, _to_ms), 'UTC') AS window_to,
    model_version, segment,
    n, positives, tp, fp, fn, tn,
    accuracy, precision, recall, f1, auc, pr_auc, log_loss, brier, calibration_error, lift_top_decile, score_mean,
    customers,
    _calibrated_on AS calibrated_on,
    greatest(accuracy - _e_accuracy, 0) AS accuracy_low, least(accuracy + _e_accuracy, 1) AS accuracy_high,
    greatest(precision - _e_precision, 0) AS precision_low, least(precision + _e_precision, 1) AS precision_high,
    greatest(recall - _e_recall, 0) AS recall_low, least(recall + _e_recall, 1) AS recall_high,
    greatest(f1 - _e_f1, 0) AS f1_low, least(f1 + _e_f1, 1) AS f1_high,
    greatest(auc - _e_auc, 0) AS auc_low, least(auc + _e_auc, 1) AS auc_high,
    greatest(log_loss - _e_log_loss, 0) AS log_loss_low, log_loss + _e_log_loss AS log_loss_high,
    greatest(brier - _e_brier, 0) AS brier_low, least(brier + _e_brier, 1) AS brier_high
FROM (SELECT * FROM _figures INNER JOIN _errors USING (_window, model_version, segment)) AS _estimated
LEFT JOIN (SELECT _version, _calibrated_on FROM _calibration) AS _known ON model_version = _version
