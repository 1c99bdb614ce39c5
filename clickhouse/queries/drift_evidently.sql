-- Drift of numeric columns as Evidently 0.7 computes it, from raw values.
-- samples: a table or view with feature, side ('reference', 'current'), value Float64. One row per feature and statistic:
-- psi, jensenshannon, wasserstein, ks, chisquare, z; value is Evidently's drift score (the p-value of the last three), distance
-- the statistic behind it; chosen marks the one that Evidently takes by itself for these sizes, drifted its verdict on that score.
-- NaN and infinities are left out on each side; a feature without values on one side has no rows.
-- Continued by drift_ks.sql and drift_evidently_rows.sql.
WITH
_counts AS (
  SELECT feature, value, toInt64(countIf(side = 'reference')) AS rows_r, toInt64(countIf(side = 'current')) AS rows_c
  FROM {samples:Identifier} WHERE isFinite(value) GROUP BY feature, value
),
-- The distinct values of both sides in ascending order, each with its rows in the reference (r) and the current side (c).
_columns AS (
  SELECT feature, groupArray(value) AS v, groupArray(rows_r) AS r, groupArray(rows_c) AS c, sum(rows_r) AS n_r, sum(rows_c) AS n_c
  FROM (SELECT feature, value, rows_r, rows_c FROM _counts ORDER BY feature, value)
  GROUP BY feature HAVING n_r > 0 AND n_c > 0
),
-- Equal bins over both sides together, Sturges' number of them; with at most 20 distinct reference values each value is a bin.
_widths AS (
  SELECT *,
    arrayCumSum(r) AS cum_r, arrayCumSum(c) AS cum_c,
    v[1] AS lo, v[-1] AS hi,
    arrayCount(x -> x > 0, r) <= 20 AS by_value,
    if(by_value, 1, toInt64(ceil((hi - lo) / ((hi - lo) / (log2(n_r + n_c) + 1))))) AS k,
    (hi - lo) / k AS step
  FROM _columns
),
-- Rows of each bin: those below its upper edge, less those below its lower one. The last bin takes the maximum.
_bins AS (
  SELECT *,
    arrayMap(i -> if(i = k, length(v), arrayCount(x -> x < i * step + lo, v)), range(1, toUInt64(k) + 1)) AS ends,
    if(by_value, r, arrayPopFront(arrayDifference(arrayConcat([0], arrayMap(i -> if(i = 0, 0, cum_r[i]), ends))))) AS in_bins_r,
    if(by_value, c, arrayPopFront(arrayDifference(arrayConcat([0], arrayMap(i -> if(i = 0, 0, cum_c[i]), ends))))) AS in_bins_c
  FROM _widths
),
_shares AS (
  SELECT feature, n_r, n_c, v, r, c, cum_r, cum_c, by_value, length(v) AS distinct_values,
    arrayMap(x -> x / n_r, in_bins_r) AS p, arrayMap(x -> x / n_c, in_bins_c) AS q,
    arrayMap((x, y) -> abs(x / n_r - y / n_c), cum_r, cum_c) AS gaps,
    arraySum((x, rows) -> x * rows, v, r) / n_r AS mean_r
  FROM _bins
),
-- An empty bin counts as 0.0001, or as a millionth of the smallest share that is not 0 where that is below 0.0001.
_filled AS (
  SELECT *,
    arrayMin(arrayFilter(x -> x > 0, p)) AS least_p, arrayMin(arrayFilter(x -> x > 0, q)) AS least_q,
    arrayMap(x -> if(x > 0, x, if(least_p <= 0.0001, least_p / 1e6, 0.0001)), p) AS filled_p,
    arrayMap(x -> if(x > 0, x, if(least_q <= 0.0001, least_q / 1e6, 0.0001)), q) AS filled_q,
    greatest(n_r, n_c) <= 10000 AS exact
  FROM _shares
),
_distances AS (
  SELECT feature, n_r, n_c, r, c, by_value, distinct_values, exact,
    arraySum((x, y) -> (x - y) * log(x / y), filled_p, filled_q) AS psi,
    sqrt(greatest(0, arraySum((x, y) -> if(x > 0, x * log(2 * x / (x + y)), 0) + if(y > 0, y * log(2 * y / (x + y)), 0), p, q)) / 2) AS jensenshannon,
    arraySum((gap, width) -> gap * width, arrayPopBack(gaps), arrayPopFront(arrayDifference(v)))
      / greatest(sqrt(arraySum((x, rows) -> rows * (x - mean_r) * (x - mean_r), v, r) / n_r), 0.001) AS wasserstein,
    arrayMax(gaps) AS ks,
    -- Up to 10,000 rows a side the test is exact; on ranks, so that close values never count as equal.
    arrayFlatten(arrayMap((i, a, b) -> arrayWithConstant(if(exact, a + b, 0), i), arrayEnumerate(v), r, c)) AS ranks,
    arrayFlatten(arrayMap((a, b) -> arrayConcat(arrayWithConstant(if(exact, a, 0), 0), arrayWithConstant(if(exact, b, 0), 1)), r, c)) AS sides,
    -- Few values: goodness of fit to the reference's shares, taken as exact; two values: the difference of two proportions.
    distinct_values - 1 AS degrees,
    arrayExists((a, b) -> a = 0 AND b > 0, r, c) AS new_value,
    arraySum((a, b) -> if(a > 0, pow(b - a * n_c / n_r, 2) / (a * n_c / n_r), 0), if(by_value, r, []), if(by_value, c, [])) AS chisquare,
    (r[1] + c[1]) / (n_r + n_c) AS pooled
  FROM _filled
),
_figures AS (
  SELECT *,
    arrayReduce('kolmogorovSmirnovTest(\'two-sided\', \'exact\')', if(exact, ranks, [1, 1]), if(exact, sides, [0, 1])).2 AS exact_p,
    if(exact, 0, roundBankers(n_r * n_c / (n_r + n_c))) AS n, n * ks * ks AS nd2, 1e9 AS sum_n_max,
    -- The upper tail of chi-square for whole degrees of freedom: a finite sum.
    multiIf(new_value, 0., chisquare = 0, 1., least(1, degrees % 2 * erfc(sqrt(chisquare / 2)) + arraySum(
      i -> exp((i + degrees % 2 / 2) * log(chisquare / 2) - chisquare / 2 - lgamma(i + 1 + degrees % 2 / 2)), range(if(by_value, intDiv(degrees, 2), 0))))) AS chisquare_p,
    sqrt(pooled * (1 - pooled) * (1 / n_r + 1 / n_c)) AS deviation,
    if(deviation > 0, (r[1] / n_r - c[1] / n_c) / deviation, 0) AS z_value
  FROM _distances
),
