-- Good and total events of many SLIs (a sampled span stands for `weight` of them), per minute, in one scan of spans. Each
-- SLI is one row of arrays that are zipped here: its series, service, environment, kinds (bit = kind), and how good is
-- told: faster than max_ns, else by predicate number good_index, else without error. Predicates and group labels of all
-- SLIs are worked out once a span, as arrays. Both conditions on time use the primary key: other buckets are not read.
SELECT
    m.series AS series,
    toStartOfMinute(s.ts) AS minute,
    /*label*/ AS labels,
    sumIf(s.weight, multiIf(m.max_ns > 0, s.duration_ns <= m.max_ns, m.good_index > 0, s.matched[m.good_index], NOT s.error)) AS good,
    sum(s.weight) AS total,
    count() AS seen,
    toUInt64(0) AS doubtful,
    0. AS bound
FROM
(
    SELECT
        ts, service, environment, kind, error, duration_ns, weight,
        CAST([/*predicates*/] AS Array(Bool)) AS matched,
        CAST([/*labels*/] AS Array(Array(String))) AS grouped
    FROM spans
    WHERE NOT quarantined AND service IN {services:Array(String)} AND (/*times*/)
) AS s
INNER JOIN
(
    SELECT x.1 AS series, x.2 AS service, x.3 AS any_environment, x.4 AS environment, x.5 AS kinds, x.6 AS filter_index,
        x.7 AS max_ns, x.8 AS good_index, x.9 AS group_index
    FROM
    (
        SELECT arrayJoin(arrayZip({series:Array(UInt64)}, {services:Array(String)}, {any_environments:Array(Bool)},
            {environments:Array(String)}, {kinds:Array(UInt8)}, {filter_indexes:Array(UInt32)}, {max_ns:Array(UInt64)},
            {good_indexes:Array(UInt32)}, {group_indexes:Array(UInt32)})) AS x
    )
) AS m ON s.service = m.service
WHERE (m.any_environment OR s.environment = m.environment)
    AND bitTest(m.kinds, toUInt8(s.kind))
    AND (m.filter_index = 0 OR s.matched[m.filter_index])
GROUP BY series, minute, labels
