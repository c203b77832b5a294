-- Groups of one kind of a metric that were seen since a while, each with its value in [start, end) if it has points there.
-- seen: to ten minutes, by time of arrival. Who has a value comes first, then who was seen last.
SELECT g.labels AS labels, g.seen AS seen, count() OVER () AS groups, v.has_value = 1 AS has_value, /*group_value*/ AS value
FROM
(
    SELECT s.labels AS labels, max(m.last_seen) AS seen
    FROM (/*known*/) AS s
    INNER JOIN
    (
        SELECT series_id, max(last_seen) AS last_seen
        FROM metric_series
        WHERE metric = {metric:String} AND month >= toStartOfMonth(fromUnixTimestamp64Nano({seen_since_ns:Int64}, 'UTC'))
        GROUP BY series_id
    ) AS m ON m.series_id = s.series_id
    GROUP BY labels
) AS g
LEFT JOIN (SELECT 1 AS has_value, * FROM (/*values*/)) AS v ON v.labels = g.labels
WHERE has_value OR toUnixTimestamp64Nano(toDateTime64(g.seen, 9, 'UTC')) >= {seen_since_ns:Int64}
ORDER BY has_value DESC, if(has_value, toDateTime(0, 'UTC'), g.seen) DESC, labels
LIMIT {limit:UInt32}
