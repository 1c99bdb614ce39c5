-- Drift of numeric columns as NannyML 0.13 computes it, one chunk being the whole current side. samples: feature, side
-- ('reference', 'current'), value Float64. One row per feature and statistic: jensen_shannon, hellinger, kolmogorov_smirnov,
-- wasserstein. NaN and infinities are left out; a feature without values on one side has no rows. From 10,000 reference
-- rows NannyML estimates the last two on 10,000 equal bins of the reference's range, and so does this.
WITH
_counts AS (
  SELECT feature, value, toInt64(countIf(side = 'reference')) AS rows_r, toInt64(countIf(side = 'current')) AS rows_c
  FROM {samples:Identifier} WHERE isFinite(value) GROUP BY feature, value
),
_columns AS (
  SELECT feature, groupArray(value) AS v, groupArray(rows_r) AS r, groupArray(rows_c) AS c, sum(rows_r) AS n_r, sum(rows_c) AS n_c,
    minIf(value, rows_r > 0) AS lo, maxIf(value, rows_r > 0) AS hi
  FROM (SELECT feature, value, rows_r, rows_c FROM _counts ORDER BY feature, value)
  GROUP BY feature HAVING n_r > 0 AND n_c > 0
),
-- Equal bins over the reference's range, Doane's number of them: the more of them, the more skewed the reference is.
_widths AS (
  SELECT *,
    arrayCumSum(r) AS cum_r, arrayCumSum(c) AS cum_c,
    arraySum((x, m) -> x * m, v, r) / n_r AS mean_r,
    sqrt(arraySum((x, m) -> m * (x - mean_r) * (x - mean_r), v, r) / n_r) AS std_r,
    if(std_r > 0, arraySum((x, m) -> m * pow((x - mean_r) / std_r, 3), v, r) / n_r, 0) AS skewness,
    sqrt(6. * (n_r - 2) / ((n_r + 1.) * (n_r + 3.))) AS skewness_deviation,
    hi - lo AS width,
    if(n_r > 2 AND width > 0 AND std_r > 0, toInt64(ceil(width / (width / (1 + log2(n_r) + log2(1 + abs(skewness) / skewness_deviation))))), 1) AS k,
    if(width > 0, lo, lo - 0.5) AS first, if(width > 0, hi, hi + 0.5) AS last,
    (last - first) / k AS step
  FROM _columns
),
_bins AS (
  SELECT *,
    arrayMap(i -> if(i = k, arrayCount(x -> x <= last, v), arrayCount(x -> x < i * step + first, v)), range(toUInt64(k) + 1)) AS ends,
    arrayMap(x -> x / n_r, arrayPopFront(arrayDifference(arrayMap(i -> if(i = 0, 0, cum_r[i]), ends)))) AS p,
    arrayMap(x -> x / n_c, arrayPopFront(arrayDifference(arrayMap(i -> if(i = 0, 0, cum_c[i]), ends)))) AS q,
    greatest(0, 1 - arraySum(q)) AS left_over,
    arraySum((x, y) -> if(x > 0, x * log2(2 * x / (x + y)), 0) + if(y > 0, y * log2(2 * y / (x + y)), 0), p, q) + left_over AS divergences,
    arraySum((x, y) -> pow(sqrt(x) - sqrt(y), 2), p, q) + left_over AS squares
  FROM _widths
),
-- Kolmogorov-Smirnov and Wasserstein: at every value; or, estimated, at the edges of 10,000 bins: only where the next
-- value stands in another bin, weighed with the number of edges between.
_distances AS (
  SELECT *,
    n_r >= 10000 AND width > 0 AS estimated,
    (hi - lo) / 10000 AS fine,
    arrayMap(x -> multiIf(x < lo, -1, x > hi, 10000, least(9999, toInt64(floor((x - lo) / fine)))), if(estimated, v, [])) AS guesses,
    arrayMap((x, i) -> i + multiIf(i < 0 OR i > 9999, 0, i < 9999 AND x >= (i + 1) * fine + lo, 1, i > 0 AND x < i * fine + lo, -1, 0), if(estimated, v, []), guesses) AS places,
    arrayMap((i, next) -> if(i < 0 OR i > 9999, 0, least(next, 10000) - i), places, arrayPushBack(arrayPopFront(places), 10000)) AS edges,
    arrayMap((x, y) -> abs(x / n_r - y / n_c), cum_r, cum_c) AS gaps,
    arrayPopFront(arrayDifference(v)) AS steps,
    arrayCount(x -> x < lo, v) AS below, arrayCount(x -> x > hi, v) AS above,
    if(below > 0, cum_c[below], 0) AS n_below, arraySum(arraySlice(c, length(c) - above + 1)) AS n_above,
    -- NannyML counts the edge of the range among the rows outside of it.
    if(n_below > 0, (n_below + 1) / n_c, 0) AS amount_below, if(n_above > 0, (n_above + 1) / n_c, 0) AS amount_above,
    amount_below * arraySum((m, s) -> m / (n_below + 1) * s, arraySlice(cum_c, 1, below), arraySlice(steps, 1, below)) AS outside_below,
    arraySum((m, s) -> (1 - (m - cum_c[length(c) - above] + 1) / (n_above + 1)) * s,
      arraySlice(cum_c, length(c) - above, above), arraySlice(steps, length(c) - above, above)) * amount_above AS outside_above,
    arraySum((x, y, e) -> abs(x / n_r - ((y - n_below) / n_c + amount_below)) * e, if(estimated, cum_r, []), if(estimated, cum_c, []), edges) * fine AS within
  FROM _bins
)
SELECT feature, statistic, value, n_c AS n, n_r AS n_reference
FROM _distances
ARRAY JOIN
  ['jensen_shannon', 'hellinger', 'kolmogorov_smirnov', 'wasserstein'] AS statistic,
  [
    sqrt(greatest(divergences, 0) / 2),
    sqrt(greatest(squares, 0) / 2),
    if(estimated, arrayMax((x, e) -> if(e > 0, x, 0), if(estimated, gaps, [0.]), if(estimated, edges, [0])), arrayMax(gaps)),
    if(estimated, within + outside_below + outside_above, arraySum((x, s) -> x * s, arrayPopBack(gaps), steps))
  ] AS value
ORDER BY feature, statistic
