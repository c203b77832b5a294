-- Values of gauges (and of sums that may fall) in steps of [start, end), by group; the largest groups first.
-- last: the sum of what each series said last in the step; a series that ended says nothing.
SELECT
    labels, count() OVER () AS groups,
    arraySort(groupArray((step, group_last, group_avg, group_min, group_max, group_exact))) AS steps
FROM
(
    SELECT
        labels, step,
        sumOrNullIf(series_last, NOT ended) AS group_last,
        sum(series_sum) / nullIf(sum(points), 0) AS group_avg,
        minOrNullIf(series_min, points > 0) AS group_min,
        maxOrNullIf(series_max, points > 0) AS group_max,
        if(count() = 1, anyIf(series_exact, NOT ended), 0) AS group_exact
    FROM
    (
        SELECT
            s.labels AS labels, p.series_id AS series_id,
            toUInt64(intDiv(toUnixTimestamp64Nano(p.ts) - {start_ns:Int64}, {step_ns:Int64})) AS step,
            argMax(bitAnd(p.flags, 1), p.ts) = 1 OR points = 0 AS ended,
            countIf(isFinite(p.value)) AS points,
            sumIf(p.value, isFinite(p.value)) AS series_sum,
            minIf(p.value, isFinite(p.value)) AS series_min,
            maxIf(p.value, isFinite(p.value)) AS series_max,
            argMaxIf(p.value, p.ts, isFinite(p.value)) AS series_last,
            argMaxIf(p.exact_int, p.ts, isFinite(p.value)) AS series_exact
        FROM metric_points AS p
        INNER JOIN (/*selected*/) AS s ON s.series_id = p.series_id
        WHERE p.metric = {metric:String} AND p.series_id IN (SELECT series_id FROM (/*selected*/))
            AND toStartOfHour(p.ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
            AND p.ts >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
            AND p.ts < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
            AND p.original_ns = 0
        GROUP BY labels, series_id, step
    )
    GROUP BY labels, step
)
GROUP BY labels
ORDER BY max(abs(group_avg)) DESC, labels
LIMIT {limit:UInt32}
