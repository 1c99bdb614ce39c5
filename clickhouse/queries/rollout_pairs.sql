-- Errors, latency and the distance between the scores of both, over the latest rows of a step (at most rows_max). The population
-- stability index is taken over the champion's deciles, half a row added to each; Kolmogorov-Smirnov on scores rounded to 1e-4.
WITH
    recent AS
    (
        SELECT champion_score, challenger_score, champion_degraded, challenger_degraded, champion_us, challenger_us
        FROM shadow_predictions
        WHERE challenger_version = {challenger:String} AND champion_version = {champion:String} AND mode = {mode:String}
            AND (mode = 'shadow' OR share = {share:Float64}) AND scored_at >= fromUnixTimestamp64Milli({since_ms:Int64})
        ORDER BY scored_at DESC
        LIMIT {rows_max:UInt32}
    ),
    (SELECT arraySort(arrayDistinct(quantilesExactInclusive(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)(champion_score))) FROM recent) AS edges,
    (SELECT count() FROM recent) AS total,
    scores AS (SELECT arrayJoin([(0, champion_score), (1, challenger_score)]) AS scored FROM recent),
    bins AS
    (
        SELECT
            arrayCount(edge -> scored.2 > edge, edges) AS bin,
            (countIf(scored.1 = 0) + 0.5) / (total + 0.5 * (length(edges) + 1)) AS champion_share,
            (countIf(scored.1 = 1) + 0.5) / (total + 0.5 * (length(edges) + 1)) AS challenger_share
        FROM scores
        GROUP BY bin
    ),
    steps AS
    (
        SELECT round(scored.2, 4) AS score, countIf(scored.1 = 0) AS champion_rows, countIf(scored.1 = 1) AS challenger_rows
        FROM scores
        GROUP BY score
    ),
    gaps AS
    (
        SELECT abs(toInt64(sum(champion_rows) OVER up_to) - toInt64(sum(challenger_rows) OVER up_to)) / total AS gap
        FROM steps
        WINDOW up_to AS (ORDER BY score ASC)
    )
SELECT
    avg(champion_degraded) AS champion_error_share,
    avg(challenger_degraded) AS challenger_error_share,
    quantile(0.9)(champion_us) AS champion_us,
    quantile(0.9)(challenger_us) AS challenger_us,
    (SELECT sum((challenger_share - champion_share) * log(challenger_share / champion_share)) FROM bins) AS psi,
    (SELECT max(gap) FROM gaps) AS ks
FROM recent
