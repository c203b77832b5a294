-- Good and total events of SLIs by minute from the rollup, for the time before raw spans. SLIs are told as in
-- count_sli_minutes. Faster than a threshold is what lies in buckets that end at or below it: max_bucket is the first
-- bucket that does not.
SELECT
    m.series AS series, s.t AS minute, /*rollup_label*/ AS labels,
    sum(if(m.max_ns > 0, arraySum(mapValues(mapFilter((bucket, n) -> bucket < m.max_bucket, s.hist))), toUInt64(s.requests - s.errors))) AS good,
    sum(s.requests) AS total, total AS seen, toUInt64(0) AS doubtful, 0. AS bound
FROM
(
    SELECT
        t, service, environment, kind, requests, errors, hist,
        CAST([/*rollup_predicates*/] AS Array(Bool)) AS matched,
        CAST([/*rollup_labels*/] AS Array(Array(String))) AS grouped
    FROM red_1m
    WHERE service IN {services:Array(String)} AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
) AS s
INNER JOIN
(
    SELECT x.1 AS series, x.2 AS service, x.3 AS any_environment, x.4 AS environment, x.5 AS kinds, x.6 AS filter_index,
        x.7 AS max_ns, x.8 AS max_bucket, x.9 AS group_index
    FROM
    (
        SELECT arrayJoin(arrayZip({series:Array(UInt64)}, {services:Array(String)}, {any_environments:Array(Bool)},
            {environments:Array(String)}, {kinds:Array(UInt8)}, {filter_indexes:Array(UInt32)}, {max_ns:Array(UInt64)},
            {max_buckets:Array(UInt32)}, {group_indexes:Array(UInt32)})) AS x
    )
) AS m ON s.service = m.service
WHERE (m.any_environment OR s.environment = m.environment)
    AND bitTest(m.kinds, toUInt8(s.kind))
    AND (m.filter_index = 0 OR s.matched[m.filter_index])
GROUP BY series, minute, labels
