-- Each feature in the windows of the last thirty looks: its distance to the reference (where the version has none, to the
-- window before) and what the drift service said of the latest one. Its verdicts rest on other statistics than the one shown.
WITH
    (SELECT max((window_to, window_to - window_from)) FROM drift_looks WHERE model = {model:String}) AS last,
    rows AS
    (
        SELECT feature, against, statistic, toUnixTimestamp(window_to) * 1000 AS to, value, baseline, threshold, n, verdict
        FROM drift_reports FINAL
        WHERE model = {model:String} AND segment = '' AND statistic IN ('psi', 'ks', 'jensen_shannon', 'missing_rate') AND verdict != ''
          AND window_to <= last.1 AND window_to > last.1 - toIntervalDay(30) AND window_to - window_from = last.2
    )
SELECT feature, against,
    arraySort(groupArrayIf((to, value), statistic = 'psi')) AS psi,
    argMaxIf(value, to, statistic = 'ks') AS ks,
    argMaxIf(value, to, statistic = 'missing_rate') AS missing,
    argMaxIf(baseline, to, statistic = 'missing_rate') AS missing_reference,
    max(n) AS n,
    groupUniqArrayIf(verdict, to = toUnixTimestamp(last.1) * 1000) AS verdicts
FROM rows
GROUP BY feature, against
ORDER BY feature, against
