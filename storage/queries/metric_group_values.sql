-- What each group of series said in [start, end): over all points, and over what each series said last: part of another query.
-- A series whose last point says that it ended has no last value.
SELECT
    labels,
    max(series_max) AS max_value,
    min(series_min) AS min_value,
    sum(series_sum) / sum(points) AS avg_value,
    sumOrNullIf(series_last, NOT ended) AS sum_value,
    maxOrNullIf(series_last, NOT ended) AS highest_last,
    minOrNullIf(series_last, NOT ended) AS lowest_last
FROM
(
    SELECT
        s.labels AS labels, p.series_id AS series_id,
        argMax(bitAnd(p.flags, 1), p.ts) = 1 AS ended,
        countIf(isFinite(p.value)) AS points,
        sumIf(p.value, isFinite(p.value)) AS series_sum,
        minIf(p.value, isFinite(p.value)) AS series_min,
        maxIf(p.value, isFinite(p.value)) AS series_max,
        argMaxIf(p.value, p.ts, isFinite(p.value)) AS series_last
    FROM metric_points AS p
    INNER JOIN (/*selected*/) AS s ON s.series_id = p.series_id
    WHERE p.metric = {metric:String} AND p.series_id IN (/*selected_ids*/)
        AND toStartOfHour(p.ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
        AND p.ts >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
        AND p.ts < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
        AND p.original_ns = 0
    GROUP BY labels, series_id
    HAVING points > 0
)
GROUP BY labels
