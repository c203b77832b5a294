-- Hits and lookups of SLIs over caches by minute from the rollup, for the time before raw spans.
SELECT
    m.series AS series, c.t AS minute, emptyArrayString() AS labels,
    sumIf(c.lookups, c.hit) AS good, sum(c.lookups) AS total, total AS seen, toUInt64(0) AS doubtful, 0. AS bound
FROM cache_1m AS c
INNER JOIN
(
    SELECT x.1 AS series, x.2 AS service, x.3 AS any_environment, x.4 AS environment, x.5 AS cache
    FROM
    (
        SELECT arrayJoin(arrayZip({series:Array(UInt64)}, {services:Array(String)}, {any_environments:Array(Bool)},
            {environments:Array(String)}, {caches:Array(String)})) AS x
    )
) AS m ON c.service = m.service
WHERE c.service IN {services:Array(String)} AND c.t >= {since:DateTime('UTC')} AND c.t < {until:DateTime('UTC')}
    AND (m.any_environment OR c.environment = m.environment) AND (m.cache = '' OR c.cache = m.cache)
GROUP BY series, minute
