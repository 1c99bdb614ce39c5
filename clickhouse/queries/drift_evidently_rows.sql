-- The figures of drift_evidently, and which of them Evidently takes.
SELECT feature, statistic, value, distance,
  statistic = multiIf(n_r > 1000, if(distinct_values > 5, 'wasserstein', 'jensenshannon'), distinct_values > 5, 'ks', distinct_values > 2, 'chisquare', 'z') AS chosen,
  drifted, n_c AS n, n_r AS n_reference
FROM (SELECT *, if(exact, exact_p, ks_p) AS ks_score, least(1, erfc(abs(z_value) / sqrt(2))) AS z_p FROM _p)
ARRAY JOIN
  ['psi', 'jensenshannon', 'wasserstein', 'ks', 'chisquare', 'z'] AS statistic,
  [psi, jensenshannon, wasserstein, ks_score, chisquare_p, z_p] AS value,
  [psi, jensenshannon, wasserstein, ks, if(new_value, inf, chisquare), z_value] AS distance,
  [psi >= 0.1, jensenshannon >= 0.1, wasserstein >= 0.1, ks_score <= 0.05, chisquare_p < 0.05, z_p < 0.05] AS drifted
WHERE (statistic != 'z' OR distinct_values <= 2) AND (statistic != 'chisquare' OR (by_value AND distinct_values > 1))
ORDER BY feature, statistic
