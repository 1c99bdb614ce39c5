-- Drift of numeric columns as Evidently 0.7 computes it, from raw values.
-- samples: a table or view with feature, side ('reference', 'current'), value Float64. One row per feature and statistic:
-- psi, jensenshannon, wasserstein, ks, chisquare, z; value is Evidently's drift score (the p-value of the last three), distance
-- the statistic behind it; chosen marks the one that Evidently takes by itself for these sizes, drifted its verdict on that score.
-- NaN and infinities are left out on each side; a feature without values on one side has no rows.
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
    if(by_value, c, arrayPopFront(arrayDifference(arrayConcat([0], arrayMap(i -> if(i = 0, 0, cum_c[i]), ends))))) AS in_bins_c,
    arrayMap(x -> x / n_r, in_bins_r) AS p,
    arrayMap(x -> x / n_c, in_bins_c) AS q
  FROM _widths
),
_figures AS (
  SELECT feature, n_r, n_c, v, r, c, by_value,
    length(v) AS distinct_values,
    -- An empty bin counts as 0.0001, or as a millionth of the smallest share that is not 0 where that is below 0.0001.
    arrayMin(arrayFilter(x -> x > 0, p)) AS least_p,
    arrayMin(arrayFilter(x -> x > 0, q)) AS least_q,
    arrayMap(x -> if(x > 0, x, if(least_p <= 0.0001, least_p / 1e6, 0.0001)), p) AS filled_p,
    arrayMap(x -> if(x > 0, x, if(least_q <= 0.0001, least_q / 1e6, 0.0001)), q) AS filled_q,
    arraySum((x, y) -> (x - y) * log(x / y), filled_p, filled_q) AS psi,
    arraySum((x, y) -> if(x > 0, x * log(2 * x / (x + y)), 0) + if(y > 0, y * log(2 * y / (x + y)), 0), p, q) AS divergences,
    sqrt(greatest(divergences, 0) / 2) AS jensenshannon,
    arrayMap((x, y) -> abs(x / n_r - y / n_c), cum_r, cum_c) AS gaps,
    arraySum((gap, width) -> gap * width, arrayPopBack(gaps), arrayPopFront(arrayDifference(v))) AS wasserstein,
    arraySum((x, n) -> x * n, v, r) / n_r AS mean_r,
    sqrt(arraySum((x, n) -> n * (x - mean_r) * (x - mean_r), v, r) / n_r) AS std_r,
    arrayMax(gaps) AS ks
  FROM _bins
),
-- P-value of Kolmogorov-Smirnov: exact up to 10,000 rows a side, on ranks, so that close values never count as equal; beyond,
-- the one-sample distribution at n = nR nC / (nR + nC): Smirnov's sum in the tail; else Durbin's matrix, whose n-th power
-- holds the probability (Marsaglia, Tsang and Wang 2003), up to n = 140, and the series of Pelz and Good (1976) above.
_ks AS (
  SELECT *,
    greatest(n_r, n_c) <= 10000 AS exact,
    arrayFlatten(arrayMap((i, m, n) -> arrayWithConstant(if(exact, m + n, 0), i), arrayEnumerate(v), r, c)) AS ranks,
    arrayFlatten(arrayMap((m, n) -> arrayConcat(arrayWithConstant(if(exact, m, 0), 0), arrayWithConstant(if(exact, n, 0), 1)), r, c)) AS sides,
    arrayReduce('kolmogorovSmirnovTest(\'two-sided\', \'exact\')', if(exact, ranks, [1, 1]), if(exact, sides, [0, 1])).2 AS exact_p,
    roundBankers(n_r * n_c / (n_r + n_c)) AS n,
    lgamma(n + 1) AS log_n_factorial,
    2 * ks * arraySum(
      j -> if(ks + j / n >= 1, 0, exp(log_n_factorial - lgamma(j + 1) - lgamma(n - j + 1) + (j - 1) * log(ks + j / n) + (n - j) * log(1 - ks - j / n))),
      range(if(exact OR n * ks * ks < 2.2 OR n * ks * ks >= 370, 0, toUInt64(floor(n * (1 - ks))) + 1))) AS smirnov,
    NOT exact AND n <= 140 AND n * ks * ks < 2.2 AS small,
    if(small, toUInt64(floor(n * ks)) + 1, 1) AS middle,
    2 * middle - 1 AS m,
    middle - n * ks AS h,
    arrayMap(at -> (
      (intDiv(at, m) + 1 >= at % m) - if(at % m = 0, pow(h, intDiv(at, m) + 1), 0) - if(intDiv(at, m) = m - 1, pow(h, m - at % m), 0)
      + if(at = m * (m - 1) AND 2 * h > 1, pow(2 * h - 1, m), 0)
    ) / exp(lgamma(greatest(intDiv(at, m) + 2, at % m + 1) - at % m)), range(m * m)) AS matrix,
    arrayFold((power, i) -> arrayMap(column -> arraySum((x, line) -> x * matrix[line * m + column + 1], power, range(m)), range(m)),
      range(if(small, toUInt64(n), 0)), arrayMap(i -> toFloat64(i + 1 = middle), range(m)))[middle] * exp(log_n_factorial - n * log(greatest(n, 1))) AS durbin,
    greatest(sqrt(n) * ks, 0.05) AS z,
    pi() * pi() AS pi2,
    arrayMap(i -> (2 * i - 1) * (2 * i - 1), range(1, toUInt64(ceil(16 * z / pi())) + 1)) AS odd,
    arrayMap(i -> i * i, range(1, toUInt64(ceil(16 * z / pi())) + 1)) AS even,
    arrayMap(m -> exp(-pi2 * m / 8 / pow(z, 2)), odd) AS odd_terms,
    arrayMap(m -> exp(-pi2 * m / 2 / pow(z, 2)), even) AS even_terms,
    sqrt(2 * pi()) * (
      arraySum(odd_terms) / z
      + arraySum((m, e) -> e * (-pow(z, 2) + pi2 / 4 * m), odd, odd_terms) / (6 * pow(z, 4)) / sqrt(n)
      + (arraySum((m, e) -> e * (6 * pow(z, 6) + 2 * pow(z, 4) + pi2 / 4 * (2 * pow(z, 4) - 5 * pow(z, 2)) * m + pow(pi2, 2) / 16 * (1 - 2 * pow(z, 2)) * m * m), odd, odd_terms) / (72 * pow(z, 7))
        - pi2 / (36 * pow(z, 3)) * arraySum((m, e) -> e * m, even, even_terms)) / n
      + (arraySum((m, e) -> e * (-30 * pow(z, 6) - 90 * pow(z, 8) + pi2 / 4 * (135 * pow(z, 4) - 96 * pow(z, 6)) * m + pow(pi2, 2) / 16 * (212 * pow(z, 4) - 60 * pow(z, 2)) * m * m + pow(pi2, 3) / 64 * (5 - 30 * pow(z, 2)) * m * m * m), odd, odd_terms) / (6480 * pow(z, 10))
        + pi2 / (216 * pow(z, 6)) * arraySum((m, e) -> e * m * (3 * pow(z, 2) - pi2 * m), even, even_terms)) / pow(n, 1.5)
    ) AS pelz_good,
    least(1, greatest(0, multiIf(exact, exact_p, ks = 0, 1, n * ks * ks >= 2.2, smirnov, small, 1 - durbin, 1 - pelz_good))) AS ks_p
  FROM _figures
),
-- Few values: goodness of fit to the reference's shares, taken as exact; two values: the difference of two proportions.
_few AS (
  SELECT *,
    r[1] / n_r AS share_r, if(distinct_values > 1, c[1], n_c) / n_c AS share_c,
    (r[1] + c[1]) / (n_r + n_c) AS pooled,
    sqrt(pooled * (1 - pooled) * (1 / n_r + 1 / n_c)) AS deviation,
    if(deviation > 0, (share_r - share_c) / deviation, 0) AS z_value,
    least(1, erfc(abs(z_value) / sqrt(2))) AS z_p,
    length(v) - 1 AS degrees,
    arrayExists((m, n) -> m = 0 AND n > 0, r, c) AS new_value,
    arraySum((m, n) -> if(m > 0, pow(n - m * n_c / n_r, 2) / (m * n_c / n_r), 0), if(by_value, r, []), if(by_value, c, [])) AS chisquare,
    chisquare / 2 AS h,
    -- The upper tail of chi-square for whole degrees of freedom: a finite sum.
    multiIf(new_value, 0., h = 0, 1., least(1, degrees % 2 * erfc(sqrt(h)) + arraySum(
      i -> exp((i + degrees % 2 / 2) * log(h) - h - lgamma(i + 1 + degrees % 2 / 2)), range(if(by_value, intDiv(degrees, 2), 0))))) AS chisquare_p,
    multiIf(n_r > 1000, if(distinct_values > 5, 'wasserstein', 'jensenshannon'), distinct_values > 5, 'ks', distinct_values > 2, 'chisquare', 'z') AS choice
  FROM _ks
)
SELECT feature, statistic, value, distance, statistic = choice AS chosen, drifted, n_c AS n, n_r AS n_reference
FROM _few
ARRAY JOIN
  ['psi', 'jensenshannon', 'wasserstein', 'ks', 'chisquare', 'z'] AS statistic,
  [psi, jensenshannon, wasserstein / greatest(std_r, 0.001), ks_p, chisquare_p, z_p] AS value,
  [psi, jensenshannon, wasserstein, ks, if(new_value, inf, chisquare), z_value] AS distance,
  [psi >= 0.1, jensenshannon >= 0.1, wasserstein / greatest(std_r, 0.001) >= 0.1, ks_p <= 0.05, chisquare_p < 0.05, z_p < 0.05] AS drifted
WHERE (statistic != 'z' OR distinct_values <= 2) AND (statistic != 'chisquare' OR (by_value AND distinct_values > 1))
ORDER BY feature, statistic
