-- Quantiles that summaries said last in steps of [start, end), by group. Those of several series cannot be merged: the
-- highest is taken.
SELECT labels, step, quantile, max(said_value) AS value, uniqExact(series_id) AS series
FROM
(
    SELECT
        s.labels AS labels, p.series_id AS series_id,
        toUInt64(intDiv(toUnixTimestamp64Nano(p.ts) - {start_ns:Int64}, {step_ns:Int64})) AS step,
        argMax(arrayZip(p.quantiles, p.quantile_values), p.ts) AS said,
        argMax(bitAnd(p.flags, 1), p.ts) = 1 AS ended
    FROM metric_summaries AS p
    INNER JOIN (/*selected*/) AS s ON s.series_id = p.series_id
    WHERE p.metric = {metric:String} AND p.series_id IN (SELECT series_id FROM (/*selected*/))
        AND toStartOfHour(p.ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
        AND p.ts >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
        AND p.ts < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
        AND p.original_ns = 0
    GROUP BY labels, series_id, step
    HAVING NOT ended AND has({shown:Array(Array(String))}, labels)
)
ARRAY JOIN said.1 AS quantile, said.2 AS said_value
WHERE isFinite(said_value)
GROUP BY labels, step, quantile
ORDER BY labels, step, quantile
