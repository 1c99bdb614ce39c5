-- P-value of Kolmogorov-Smirnov, from _figures with ks (the distance), n = n_r n_c / (n_r + n_c) rounded, nd2 = n ks ks and
-- sum_n_max: the one-sample distribution at n, to _p with ks_p. In the tail Smirnov's sum, beyond n = sum_n_max Maag and
-- Dicaire's approximation of it; else Durbin's matrix, whose n-th power holds the probability (Marsaglia, Tsang
-- and Wang 2003), up to n = 140, and the series of Pelz and Good (1976) above.
_ks_sizes AS (
  SELECT *,
    lgamma(n + 1) AS log_n_factorial,
    range(if(n > sum_n_max OR nd2 < 2.2 OR nd2 >= 370, 0, toUInt64(floor(n * (1 - ks))) + 1)) AS smirnov_terms,
    if(n <= 140 AND nd2 < 2.2, toUInt64(n), 0) AS durbin_steps,
    if(durbin_steps > 0, toUInt64(floor(n * ks)) + 1, 1) AS middle,
    greatest(sqrt(n) * ks, 0.05) AS z,
    pow(z, 2) AS z2,
    if(nd2 < 2.2 AND durbin_steps = 0, range(1, least(toUInt64(ceil(16 * z / pi())), 24) + 1), []) AS series
  FROM _figures
),
_ks_terms AS (
  SELECT *,
    2 * middle - 1 AS m, middle - n * ks AS h,
    arrayMap(i -> pow(pi() * (2 * i - 1), 2), series) AS odd, arrayMap(i -> pow(pi() * i, 2), series) AS even
  FROM _ks_sizes
),
_ks_matrix AS (
  SELECT *,
    arrayMap(at -> (
      (intDiv(at, m) + 1 >= at % m) - if(at % m = 0, pow(h, intDiv(at, m) + 1), 0) - if(intDiv(at, m) = m - 1, pow(h, m - at % m), 0)
      + if(at = m * (m - 1) AND 2 * h > 1, pow(2 * h - 1, m), 0)
    ) / exp(lgamma(greatest(intDiv(at, m) + 2, at % m + 1) - at % m)), range(m * m)) AS matrix,
    arrayMap(x -> exp(-x / 8 / z2), odd) AS odd_terms, arrayMap(x -> exp(-x / 2 / z2), even) AS even_terms
  FROM _ks_terms
),
_ks AS (
  SELECT *,
    2 * ks * arraySum(
      j -> if(ks + j / n >= 1, 0, exp(log_n_factorial - lgamma(j + 1) - lgamma(n - j + 1) + (j - 1) * log(ks + j / n) + (n - j) * log(1 - ks - j / n))), smirnov_terms)
      + if(n > sum_n_max, 2 * exp(-pow(6 * n * ks + 1, 2) / (18 * n)), 0) AS smirnov,
    arrayFold((power, i) -> arrayMap(column -> arraySum((x, line) -> x * matrix[line * m + column + 1], power, range(m)), range(m)),
      range(durbin_steps), arrayMap(i -> toFloat64(i + 1 = middle), range(m)))[middle] * exp(log_n_factorial - n * log(n)) AS durbin,
    sqrt(2 * pi()) * (
      arraySum(odd_terms) / z
      + arraySum((x, e) -> e * (x / 4 - z2), odd, odd_terms) / (6 * pow(z2, 2)) / sqrt(n)
      + (arraySum((x, e) -> e * (6 * pow(z2, 3) + 2 * pow(z2, 2) + (2 * pow(z2, 2) - 5 * z2) * x / 4 + (1 - 2 * z2) * x * x / 16), odd, odd_terms) / (72 * pow(z, 7))
        - arraySum((x, e) -> e * x, even, even_terms) / (36 * pow(z, 3))) / n
      + (arraySum((x, e) -> e * (-30 * pow(z2, 3) - 90 * pow(z2, 4) + (135 * pow(z2, 2) - 96 * pow(z2, 3)) * x / 4 + (212 * pow(z2, 2) - 60 * z2) * x * x / 16 + (5 - 30 * z2) * x * x * x / 64), odd, odd_terms) / (6480 * pow(z, 10))
        + arraySum((x, e) -> e * x * (3 * z2 - x), even, even_terms) / (216 * pow(z2, 3))) / pow(n, 1.5)
    ) AS pelz_good
  FROM _ks_matrix
),
_p AS (
  SELECT *, least(1, greatest(0, multiIf(ks = 0, 1, nd2 >= 370, 0, nd2 >= 2.2, smirnov, durbin_steps > 0, 1 - durbin, 1 - pelz_good))) AS ks_p
  FROM _ks
)
