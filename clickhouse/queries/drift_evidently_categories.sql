-- Drift of categorical columns as Evidently 0.7 computes it. samples: feature, side ('reference', 'current'), value text.
-- Columns as drift_evidently: psi, jensenshannon, chisquare and, with two categories, z. NULL is left out on each side. A
-- category that the reference does not have makes chisquare's distance infinite and its p-value 0.
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
  SELECT feature, n_r, n_c, r, c,
    arrayMap(x -> x / n_r, r) AS p,
    arrayMap(x -> x / n_c, c) AS q,
    arrayMin(arrayFilter(x -> x > 0, p)) AS least_p,
    arrayMin(arrayFilter(x -> x > 0, q)) AS least_q,
    arrayMap(x -> if(x > 0, x, if(least_p <= 0.0001, least_p / 1e6, 0.0001)), p) AS filled_p,
    arrayMap(x -> if(x > 0, x, if(least_q <= 0.0001, least_q / 1e6, 0.0001)), q) AS filled_q,
    arraySum((x, y) -> (x - y) * log(x / y), filled_p, filled_q) AS psi,
    arraySum((x, y) -> if(x > 0, x * log(2 * x / (x + y)), 0) + if(y > 0, y * log(2 * y / (x + y)), 0), p, q) AS divergences,
    sqrt(greatest(divergences, 0) / 2) AS jensenshannon,
    length(r) - 1 AS degrees,
    -- Goodness of fit to the reference's shares, taken as exact.
    arrayExists((m, n) -> m = 0 AND n > 0, r, c) AS new_category,
    arraySum((m, n) -> if(m > 0, pow(n - m * n_c / n_r, 2) / (m * n_c / n_r), 0), r, c) AS finite,
    if(new_category, inf, finite) AS chisquare,
    finite / 2 AS h,
    -- The upper tail of chi-square for whole degrees of freedom: a finite sum.
    multiIf(new_category, 0., h = 0, 1., least(1, degrees % 2 * erfc(sqrt(h)) + arraySum(
      i -> exp((i + degrees % 2 / 2) * log(h) - h - lgamma(i + 1 + degrees % 2 / 2)), range(intDiv(degrees, 2))))) AS chisquare_p,
    (r[1] + c[1]) / (n_r + n_c) AS pooled,
    sqrt(pooled * (1 - pooled) * (1 / n_r + 1 / n_c)) AS deviation,
    if(deviation > 0, (p[1] - q[1]) / deviation, 0) AS z_value,
    least(1, erfc(abs(z_value) / sqrt(2))) AS z_p,
    multiIf(n_r > 1000, 'jensenshannon', length(r) > 2, 'chisquare', 'z') AS choice
  FROM _columns
)
SELECT feature, statistic, value, distance, statistic = choice AS chosen, drifted, n_c AS n, n_r AS n_reference
FROM _figures
ARRAY JOIN
  ['psi', 'jensenshannon', 'chisquare', 'z'] AS statistic,
  [psi, jensenshannon, chisquare_p, z_p] AS value,
  [psi, jensenshannon, chisquare, z_value] AS distance,
  [psi >= 0.1, jensenshannon >= 0.1, chisquare_p < 0.05, z_p < 0.05] AS drifted
WHERE (statistic != 'z' OR length(r) <= 2) AND (statistic != 'chisquare' OR length(r) > 1)
ORDER BY feature, statistic
