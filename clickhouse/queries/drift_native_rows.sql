-- The figures of drift_native: one row per statistic that could be measured.
SELECT feature, segment, against, statistic, value, if(statistic = 'missing_rate', missing_baseline, 0) AS baseline,
  if(statistic IN ('wasserstein_normed', 'new_category_rate'), NULL, chance) AS p,
  if(statistic IN ('psi', 'jensen_shannon', 'hellinger', 'chi_square'), degrees, 0) AS degrees,
  round(if(statistic = 'missing_rate', all_c, n_c)) AS n, round(if(statistic = 'missing_rate', all_r, n_r)) AS n_reference
FROM _p
ARRAY JOIN
  ['missing_rate', 'out_of_range_rate', 'new_category_rate', 'psi', 'ks', 'jensen_shannon', 'wasserstein_normed', 'chi_square', 'hellinger'] AS statistic,
  [missing_rate, (below + above) / greatest(n_c, 1e-9), new_category_rate, psi, ks, sqrt(greatest(divergences, 0) / 2),
    wasserstein / if(std_r > 0, std_r, 0.001), chi_square, hellinger] AS value,
  [missing_p, out_of_range_p, 1, chi_square_p, ks_p, chi_square_p, 1, chi_square_p, chi_square_p] AS chance,
  [all_r > 0 AND all_c > 0 AND NOT categorical, comparable AND NOT categorical, comparable AND has_categories, comparable, comparable AND NOT categorical,
    comparable, comparable AND NOT categorical, comparable, comparable] AS measured
WHERE measured AND isFinite(value)
ORDER BY segment, feature, against DESC, statistic
