-- Tidemark's own drift statistics from raw values. samples: feature, side ('reference', 'current'), value Float64 (NaN is
-- missing). One row per feature and statistic, as schemas/drift/measurement.ts says; drift_native_hours gives the same
-- from hourly aggregates. Infinities count as missing. Continued by drift_native.sql.
WITH
_counts AS (
  SELECT feature, if(isFinite(value), value, nan) AS place, countIf(side = 'reference') AS rows_r, countIf(side = 'current') AS rows_c
  FROM {samples:Identifier} GROUP BY feature, place
),
_columns AS (
  SELECT '' AS segment, feature, 'reference' AS against, false AS categorical,
    sumIf(rows_r, isNaN(place)) AS missing_r, sumIf(rows_c, isNaN(place)) AS missing_c,
    minIf(place, rows_r > 0 AND isFinite(place)) AS lo, maxIf(place, rows_r > 0 AND isFinite(place)) AS hi,
    groupArrayIf(place, isFinite(place)) AS v, groupArrayIf(toFloat64(rows_r), isFinite(place)) AS r, groupArrayIf(toFloat64(rows_c), isFinite(place)) AS c,
    v AS lows, v AS highs
  FROM (SELECT feature, place, rows_r, rows_c FROM _counts ORDER BY feature, place)
  GROUP BY feature
),
