-- The distributions behind drift_native_hours: one row per feature and base, arrays in ascending order of values. Rows of the
-- reference may be fractions, where it is mixed as the window is.
_distributions AS (SELECT * FROM _columns)
SELECT feature, segment, against, missing_r AS missing_reference, missing_c AS missing, v AS values, r AS reference, c AS window
FROM _distributions
WHERE segment = '' AND NOT categorical AND arraySum(r) + arraySum(c) > 0
ORDER BY feature, against DESC
