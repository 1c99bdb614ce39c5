-- Drift of categorical columns as NannyML 0.13 computes it, one chunk being the whole current side. samples: feature, side
-- ('reference', 'current'), value text. One row per feature and statistic: jensen_shannon, hellinger, l_infinity, chi2; p is
-- chi2's p-value, NULL else. Categories that the reference does not have count as one for the first two.
WITH
_columns AS (
  SELECT feature, groupArray(rows_r) AS r, groupArray(rows_c) AS c, sum(rows_r) AS n_r, sum(rows_c) AS n_c
  FROM (
    SELECT feature, toString(value) AS category, toInt64(countIf(side = 'reference')) AS rows_r, toInt64(countIf(side = 'current')) AS rows_c
    FROM {samples:Identifier} WHERE value IS NOT NULL GROUP BY feature, category ORDER BY feature, category
  )
  GROUP BY feature HAVING n_r > 0 AND n_c > 0
),
_figures AS (
  SELECT feature, n_r, n_c, length(r) - 1 AS degrees,
    arrayMap(x -> x / n_r, r) AS p,
    arrayMap(x -> x / n_c, c) AS q,
    arraySum((x, y) -> if(x > 0, y, 0), p, q) AS known,
    arraySum((x, y) -> if(x > 0, x * log2(2 * x / (x + y)) + if(y > 0, y * log2(2 * y / (x + y)), 0), 0), p, q) + (1 - known) AS divergences,
    arraySum((x, y) -> if(x > 0, pow(sqrt(x) - sqrt(y), 2), 0), p, q) + (1 - known) AS squares,
    arrayMax((x, y) -> abs(x - y), p, q) AS l_infinity,
    -- The 2 x k table; with two categories Yates' correction: each count moves up to a half towards what is expected.
    arraySum((m, n) -> pow(abs(m - (m + n) * n_r / (n_r + n_c)) - if(degrees = 1, least(0.5, abs(m - (m + n) * n_r / (n_r + n_c))), 0), 2)
      * (1 / ((m + n) * n_r / (n_r + n_c)) + 1 / ((m + n) * n_c / (n_r + n_c))), r, c) AS chi2,
    chi2 / 2 AS h,
    if(h = 0, 1., least(1, degrees % 2 * erfc(sqrt(h)) + arraySum(
      i -> exp((i + degrees % 2 / 2) * log(h) - h - lgamma(i + 1 + degrees % 2 / 2)), range(intDiv(degrees, 2))))) AS chi2_p
  FROM _columns
)
SELECT feature, statistic, value, if(statistic = 'chi2', chi2_p, NULL) AS p, n_c AS n, n_r AS n_reference
FROM _figures
ARRAY JOIN
  ['jensen_shannon', 'hellinger', 'l_infinity', 'chi2'] AS statistic,
  [sqrt(greatest(divergences, 0) / 2), sqrt(greatest(squares, 0) / 2), l_infinity, chi2] AS value
ORDER BY feature, statistic
