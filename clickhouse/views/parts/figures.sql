    -- Rows by score: _y is the label, or the chance of it; sums of it are counts, or expected counts.
    _scores AS
    (
        SELECT _window, model_version, segment, score, toFloat64(count()) AS _n, sum(toFloat64(_y)) AS _p, toFloat64(countIf(_risk)) AS _r, sumIf(toFloat64(_y), _risk) AS _rp
        FROM _rows
        GROUP BY _window, model_version, segment, score
    ),
    -- Up to and including each score, so that equal scores are one point of the curve; and the totals.
    _curve AS
    (
        SELECT
            *,
            sum(_n) OVER _up AS _n_up, sum(_p) OVER _up AS _p_up,
            sum(_n) OVER _all AS _n_all, sum(_p) OVER _all AS _p_all,
            sum(_r) OVER _all AS _r_all, sum(_rp) OVER _all AS _rp_all,
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
            n - positives - fp AS tn,
            (tp + tn) / n AS accuracy,
            if(tp + fp = 0, NULL, tp / (tp + fp)) AS precision,
            if(positives = 0, NULL, tp / positives) AS recall,
            if(2 * tp + fp + fn = 0, NULL, 2 * tp / (2 * tp + fp + fn)) AS f1,
            if(positives <= 0 OR positives >= n, NULL, sum(_p * ((_n_up - _p_up) - (_n - _p) / 2)) / (positives * (n - positives))) AS auc,
            if(positives = 0, NULL, sum(_p * (_p_all - _p_up + _p) / (_n_all - _n_up + _n)) / positives) AS pr_auc,
            sum(-_p * log(_clipped) - (_n - _p) * log1p(-_clipped)) / n AS log_loss,
            sum(_p * (1 - score) * (1 - score) + (_n - _p) * score * score) / n AS brier,
            arraySum(arrayMap(x -> abs(x), sumMap([toUInt8(least(floor(score * 10), 9))], [_p - _n * score]).2)) / n AS calibration_error,
            if(positives = 0, NULL, sum(_p * least(greatest(_n_all / 10 - (_n_all - _n_up), 0), _n) / _n) / (n / 10) / (positives / n)) AS lift_top_decile,
            sum(_n * score) / n AS score_mean
        FROM _curve
        GROUP BY _window, model_version, segment
    )
