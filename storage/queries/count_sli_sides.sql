-- Good and total events of SLIs on two sides of a comparison, as count_sli_minutes counts them. Events of the treatment's
-- time that are on neither side have the side ''; `inside` is that time.
SELECT
    m.series AS series,
    s.side AS side,
    s.inside AS inside,
    sumIf(s.weight, multiIf(m.max_ns > 0, s.duration_ns <= m.max_ns, m.good_index > 0, s.matched[m.good_index], NOT s.error)) AS good,
    sum(s.weight) AS total
FROM
(
    SELECT
        service, environment, kind, error, duration_ns, weight, /*side*/ AS side,
        ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')} AS inside,
        CAST([/*predicates*/] AS Array(Bool)) AS matched
    FROM spans
    WHERE NOT quarantined AND service IN {services:Array(String)} AND /*times*/
) AS s
INNER JOIN
(
    SELECT x.1 AS series, x.2 AS service, x.3 AS any_environment, x.4 AS environment, x.5 AS kinds, x.6 AS filter_index,
        x.7 AS max_ns, x.8 AS good_index
    FROM
    (
        SELECT arrayJoin(arrayZip({series:Array(UInt64)}, {services:Array(String)}, {any_environments:Array(Bool)},
            {environments:Array(String)}, {kinds:Array(UInt8)}, {filter_indexes:Array(UInt32)}, {max_ns:Array(UInt64)},
            {good_indexes:Array(UInt32)})) AS x
    )
) AS m ON s.service = m.service
WHERE (m.any_environment OR s.environment = m.environment)
    AND bitTest(m.kinds, toUInt8(s.kind))
    AND (m.filter_index = 0 OR s.matched[m.filter_index])
GROUP BY series, side, inside
SETTINGS max_execution_time = 20
