-- Drift of a window of event time from the hourly aggregates: every feature, the score of one model version, and the mix of
-- channels, against the version's own reference (model_profiles) and against another window, usually the one before. Windows
-- are whole hours, [from, to). segments: names, or 'channel=' and 'tenure=' for all of a kind. Features are taken from all
-- predictions, whatever version made them. Values count at the mean of their bin, 2.2 % wide. Continued by drift_native.sql.
WITH
_all_hours AS (
  SELECT feature, trigger = 'event' AS after_event, bin, rows, total, toFloat64(low) AS lowest, toFloat64(high) AS highest,
    hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} AS now,
    hour >= {previous_from:DateTime('UTC')} AND hour < {previous_to:DateTime('UTC')} AS before
  FROM feature_hours WHERE (now OR before) AND (feature != 'score' OR model_version = {model_version:String})
),
_segment_hours AS (
  SELECT segment, feature, trigger = 'event' AS after_event, bin, rows, total, toFloat64(low) AS lowest, toFloat64(high) AS highest,
    hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} AS now,
    hour >= {previous_from:DateTime('UTC')} AND hour < {previous_to:DateTime('UTC')} AS before
  FROM feature_segment_hours
  WHERE (now OR before) AND (feature != 'score' OR model_version = {model_version:String})
    AND arrayExists(wanted -> segment = wanted OR (endsWith(wanted, '=') AND startsWith(segment, wanted)), {segments:Array(String)})
),
-- A channel's share of the scores is a category of the feature `channel`, its bin a hash of its name.
_channel_hours AS (
  SELECT 100000 + cityHash64(toString(segment)) % 1000000000 AS channel, rows, trigger = 'event' AS after_event,
    hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} AS now,
    hour >= {previous_from:DateTime('UTC')} AND hour < {previous_to:DateTime('UTC')} AS before
  FROM feature_segment_hours WHERE (now OR before) AND startsWith(segment, 'channel=') AND feature = 'score'
),
-- Rows of the window after events and in sweeps, of the window before, and of the profile: all, after events, in silence.
_parts AS (
  SELECT '' AS segment, toString(feature) AS name, toInt64(bin) AS place, sumIf(rows, now AND after_event) AS now_event, sumIf(rows, now AND NOT after_event) AS now_sweep,
    sumIf(rows, before) AS before_rows, sum(rows) AS both_rows, sum(total) AS both_total,
    minIf(lowest, now) AS now_low, maxIf(highest, now) AS now_high, minIf(lowest, before) AS before_low, maxIf(highest, before) AS before_high,
    toUInt64(0) AS of_all, toUInt64(0) AS of_event, toUInt64(0) AS of_sweep, 0. AS profile_low, 0. AS profile_high
  FROM _all_hours GROUP BY feature, bin
  UNION ALL
  SELECT toString(segment), toString(feature), toInt64(bin), sumIf(rows, now AND after_event), sumIf(rows, now AND NOT after_event),
    sumIf(rows, before), sum(rows), sum(total), minIf(lowest, now), maxIf(highest, now), minIf(lowest, before), maxIf(highest, before), 0, 0, 0, 0., 0.
  FROM _segment_hours GROUP BY segment, feature, bin
  UNION ALL
  SELECT '', 'channel', toInt64(channel), sumIf(rows, now AND after_event), sumIf(rows, now AND NOT after_event), sumIf(rows, before), 0, 0., 0., 0., 0., 0., 0, 0, 0, 0., 0.
  FROM _channel_hours GROUP BY channel
  UNION ALL
  SELECT replaceRegexpOne(toString(segment), ',?trigger=(event|sweep)$', ''), toString(feature), toInt64(bin), 0, 0, 0, 0, 0., 0., 0., 0., 0.,
    if(segment LIKE '%trigger=%', 0, count), if(segment LIKE '%trigger=event', count, 0), if(segment LIKE '%trigger=sweep', count, 0), low, high
  FROM model_profiles ARRAY JOIN bins AS bin, rows AS count
  WHERE model = {model:String} AND version = {model_version:String}
    AND (segment = '' OR startsWith(segment, 'trigger=')
      OR arrayExists(wanted -> segment = wanted OR startsWith(segment, concat(wanted, ',')) OR (endsWith(wanted, '=') AND startsWith(segment, wanted)), {segments:Array(String)}))
  UNION ALL
  SELECT '', 'channel', toInt64(100000 + cityHash64(toString(segment)) % 1000000000), 0, 0, 0, 0, 0., 0., 0., 0., 0., arraySum(rows), 0, 0, 0., 0.
  FROM model_profiles WHERE model = {model:String} AND version = {model_version:String} AND match(segment, '^channel=[^,]*$') AND feature = 'score'
),
_hour_bins AS (
  SELECT segment, name, place AS bin, toFloat64(sum(now_event)) AS event_rows, toFloat64(sum(now_sweep)) AS sweep_rows, toFloat64(sum(before_rows)) AS previous_rows,
    -- Where no window has a value the middle of the bin stands for it.
    if(sum(both_rows) > 0, sum(both_total) / sum(both_rows), if(bin = 0 OR bin >= 100000, toFloat64(bin), sign(bin) * exp2((abs(bin) - 10000 + 0.5) / 32))) AS v,
    minIf(now_low, now_event + now_sweep > 0) AS low, maxIf(now_high, now_event + now_sweep > 0) AS high,
    minIf(before_low, before_rows > 0) AS previous_low, maxIf(before_high, before_rows > 0) AS previous_high,
    toFloat64(sum(of_all)) AS all_rows, toFloat64(sum(of_event)) AS profile_event, toFloat64(sum(of_sweep)) AS profile_sweep,
    minIf(profile_low, of_all > 0) AS reference_low, maxIf(profile_high, of_all > 0) AS reference_high
  FROM _parts GROUP BY segment, name, place
),
-- Where the profile tells rows after events from moments of silence, the reference is mixed as the window is; a mixture of
-- samples weighs as many rows as its shares are certain to.
_sides AS (
  SELECT segment, name AS feature, sum(event_rows) / greatest(sum(event_rows) + sum(sweep_rows), 1) AS of_events,
    sum(profile_event) AS n_event, sum(profile_sweep) AS n_sweep,
    sum(event_rows) + sum(sweep_rows) > 0 AND n_event + n_sweep > 0 AND (of_events = 0 OR n_event > 0) AND (of_events = 1 OR n_sweep > 0) AS mixed,
    1 / greatest(of_events * of_events / greatest(n_event, 1) + (1 - of_events) * (1 - of_events) / greatest(n_sweep, 1), 1e-12) AS n_mixed,
    arraySort(groupArray((bin, v, event_rows + sweep_rows, previous_rows, all_rows, profile_event, profile_sweep, low, high))) AS sorted,
    minIf(reference_low, all_rows > 0 AND bin != 32767) AS reference_lo, maxIf(reference_high, all_rows > 0 AND bin != 32767) AS reference_hi,
    minIf(previous_low, previous_rows > 0 AND bin != 32767) AS previous_lo, maxIf(previous_high, previous_rows > 0 AND bin != 32767) AS previous_hi
  FROM _hour_bins GROUP BY segment, feature
),
_references AS (
  SELECT segment, feature, reference_lo, reference_hi, previous_lo, previous_hi,
    arrayMap(one -> if(mixed, n_mixed * (of_events * one.6 / greatest(n_event, 1) + (1 - of_events) * one.7 / greatest(n_sweep, 1)), one.5), sorted) AS expected,
    arrayFilter((one, rows) -> one.1 != 32767 AND one.3 + one.4 + rows > 0, sorted, expected) AS known,
    arrayFilter((rows, one) -> one.1 != 32767 AND one.3 + one.4 + rows > 0, expected, sorted) AS known_expected,
    arrayFilter(one -> one.1 = 32767, sorted) AS missing,
    arraySum((rows, one) -> if(one.1 = 32767, rows, 0), expected, sorted) AS missing_expected
  FROM _sides
),
_columns AS (
  SELECT segment, feature, base.1 AS against, feature = 'channel' AS categorical, base.2 AS missing_r, arraySum(missing.3) AS missing_c, base.3 AS lo, base.4 AS hi,
    known.2 AS v, base.5 AS r, known.3 AS c, known.8 AS lows, known.9 AS highs
  FROM _references
  ARRAY JOIN [
    ('reference', missing_expected, reference_lo, reference_hi, known_expected),
    ('previous', arraySum(missing.4), previous_lo, previous_hi, known.4)
  ] AS base
),
