-- Points of gauges by SLI, minute and group, and how many of them compare with the threshold as the SLI wants it.
-- role: 1 <, 2 <=, 3 >, 4 >=.
SELECT
    sli AS series, toStartOfMinute(ts) AS minute, labels,
    countIf(multiIf(role = 1, value < threshold, role = 2, value <= threshold, role = 3, value > threshold, value >= threshold))
        AS good,
    count() AS total, total AS seen, toUInt64(0) AS doubtful, 0. AS bound
FROM
(
    SELECT series_id, ts, value
    FROM metric_points
    WHERE metric IN {metrics:Array(String)} AND series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/)
        AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
        AND ts >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
        AND toStartOfHour(ts) <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
        AND ts < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
        AND bitAnd(flags, 1) = 0 AND original_ns = 0 AND isFinite(value)
    ORDER BY series_id, ts, value DESC
    LIMIT 1 BY series_id, ts
) AS p
INNER JOIN (/*series_selected*/) AS s ON s.series_id = p.series_id
GROUP BY sli, minute, labels
