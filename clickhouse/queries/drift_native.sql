-- The figures of drift_native_samples, drift_native_categories and drift_native_hours, which each end where this begins.
-- From: segment, feature, against, categorical, missing_r, missing_c, lo, hi (the reference's range), and arrays in
-- ascending order of values: v, r and c (rows of reference and window), lows, highs (the window's extremes in each place).
-- Each step hands its columns to the next: an alias used in many places of one SELECT would be expanded in each of them.
_sizes AS (
  SELECT *,
    arraySum(r) AS n_r, arraySum(c) AS n_c, arrayCumSum(r) AS cum_r, arrayCumSum(c) AS cum_c,
    n_r > 0 AND n_c > 0 AS comparable, n_r + missing_r AS all_r, n_c + missing_c AS all_c,
    arrayMap(j -> greatest(n_r - 1, 0) * (j / 10), range(1, if(comparable AND NOT categorical, 10, 1))) AS tenths
  FROM _columns
),
-- Tenths of the reference, linear between neighbours.
_quantiles AS (
  SELECT *,
    arrayMap(t -> v[arrayFirstIndex(x -> x > floor(t), cum_r)], tenths) AS lower,
    arrayMap(t -> v[arrayFirstIndex(x -> x > least(floor(t) + 1, ceil(n_r) - 1), cum_r)], tenths) AS upper
  FROM _sizes
),
_edges AS (
  SELECT *, arrayDistinct(arrayMap((t, a, b) -> if(t - floor(t) >= 0.5, b - (b - a) * (1 - t + floor(t)), a + (b - a) * (t - floor(t))), tenths, lower, upper)) AS edges
  FROM _quantiles
),
-- A bin reaches over one edge up to and with the next; a category is a bin.
_places AS (SELECT *, arrayMap(x -> arrayCount(e -> e < x, edges), v) AS places FROM _edges),
_bins AS (
  SELECT *,
    if(categorical, r, arrayMap(g -> arraySum((i, rows) -> if(i = g, rows, 0), places, r), range(length(edges) + 1))) AS rows_r,
    if(categorical, c, arrayMap(g -> arraySum((i, rows) -> if(i = g, rows, 0), places, c), range(length(edges) + 1))) AS rows_c
  FROM _places
),
_shares AS (
  SELECT *,
    arrayMap(rows -> if(n_r > 0, rows / n_r, 0), rows_r) AS p, arrayMap(rows -> if(n_c > 0, rows / n_c, 0), rows_c) AS q,
    arrayMap((x, y) -> if(comparable, abs(x / n_r - y / n_c), 0), cum_r, cum_c) AS gaps,
    if(n_r > 0, arraySum((x, rows) -> x * rows, v, r) / n_r, 0) AS mean_r,
    arraySum((x, rows) -> if(x < lo, rows, 0), highs, c) AS below, arraySum((x, rows) -> if(x > hi, rows, 0), lows, c) AS above,
    missing_r / greatest(all_r, 1e-9) AS missing_baseline, missing_c / greatest(all_c, 1e-9) AS missing_rate,
    (missing_r + missing_c) / greatest(all_r + all_c, 1e-9) AS missing_pooled
  FROM _bins
),
_distances AS (
  SELECT segment, feature, against, categorical, comparable, n_r, n_c, all_r, all_c, below, above, missing_baseline, missing_rate,
    -- An empty bin counts as 0.0001.
    arraySum((x, y) -> (greatest(x, if(x > 0, 0, 1e-4)) - greatest(y, if(y > 0, 0, 1e-4))) * log(greatest(x, if(x > 0, 0, 1e-4)) / greatest(y, if(y > 0, 0, 1e-4))), p, q) AS psi,
    arraySum((x, y) -> if(x > 0, x * log2(2 * x / (x + y)), 0) + if(y > 0, y * log2(2 * y / (x + y)), 0), p, q) AS divergences,
    sqrt(arraySum((x, y) -> pow(sqrt(x) - sqrt(y), 2), p, q) / 2) AS hellinger,
    toUInt64(greatest(arrayCount((x, y) -> x + y > 0, p, q), 1) - 1) AS degrees,
    arraySum((a, b) -> if(a + b > 0 AND comparable, pow(a * sqrt(n_c / n_r) - b * sqrt(n_r / n_c), 2) / (a + b), 0), rows_r, rows_c) AS chi_square,
    least(1, arrayMax(arrayPushBack(gaps, 0.))) AS ks,
    arraySum((x, s) -> x * s, arrayPopBack(gaps), arrayPopFront(arrayDifference(v))) AS wasserstein,
    if(n_r > 0, sqrt(arraySum((x, rows) -> rows * (x - mean_r) * (x - mean_r), v, r) / n_r), 0) AS std_r,
    categorical OR arrayCount(x -> x > 0, r) <= 20 AS has_categories,
    arraySum((a, b) -> if(a = 0, b, 0), r, c) / greatest(n_c, 1e-9) AS new_category_rate,
    -- Of all pooled values the k largest (smallest) are the window's: the chance of it without drift; both ends count.
    least(1, 2 * exp(lgamma(n_c + 1) - lgamma(n_c - greatest(below, above) + 1) + lgamma(n_c + n_r - greatest(below, above) + 1) - lgamma(n_c + n_r + 1))) AS out_of_range_p,
    sqrt(missing_pooled * (1 - missing_pooled) * (1 / greatest(all_r, 1e-9) + 1 / greatest(all_c, 1e-9))) AS missing_deviation
  FROM _shares
),
_figures AS (
  SELECT *,
    -- The upper tail of chi-square for whole degrees of freedom: a finite sum.
    if(chi_square = 0 OR degrees = 0, 1., least(1, degrees % 2 * erfc(sqrt(chi_square / 2)) + arraySum(
      i -> exp((i + degrees % 2 / 2) * log(chi_square / 2) - chi_square / 2 - lgamma(i + 1 + degrees % 2 / 2)), range(intDiv(degrees, 2))))) AS chi_square_p,
    if(missing_deviation > 0, least(1, erfc(abs(missing_rate - missing_baseline) / missing_deviation / sqrt(2))), 1) AS missing_p,
    greatest(roundBankers(n_r * n_c / greatest(n_r + n_c, 1e-9)), 1) AS n,
    n * ks * ks AS nd2,
    20000 AS sum_n_max
  FROM _distances
),
