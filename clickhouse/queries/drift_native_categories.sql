-- Tidemark's own drift statistics of categorical columns, from raw values. samples: feature, side ('reference', 'current'),
-- value text. One row per feature and statistic: psi, jensen_shannon, hellinger, chi_square, new_category_rate. NULL is left out.
-- Continued by drift_native.sql.
WITH
_counts AS (
  SELECT feature, toString(value) AS place, countIf(side = 'reference') AS rows_r, countIf(side = 'current') AS rows_c
  FROM {samples:Identifier} WHERE value IS NOT NULL GROUP BY feature, place
),
_columns AS (
  SELECT '' AS segment, feature, 'reference' AS against, true AS categorical, 0 AS missing_r, 0 AS missing_c, 0. AS lo, 0. AS hi,
    arrayMap(i -> toFloat64(i), arrayEnumerate(r)) AS v, groupArray(toFloat64(rows_r)) AS r, groupArray(toFloat64(rows_c)) AS c, v AS lows, v AS highs
  FROM (SELECT feature, place, rows_r, rows_c FROM _counts ORDER BY feature, place)
  GROUP BY feature
),
