-- One SLI in steps of time over [start, end). Where steps are whole hours, hours that neither end cuts come from the
-- hourly sums.
SELECT
    toStartOfInterval(moment, toIntervalSecond({step_s:UInt32}), 'UTC') AS at,
    sum(good) AS good,
    sum(bad) AS bad
FROM
(
    SELECT hour AS moment, good, bad
    FROM sli_hours FINAL
    WHERE {whole_hours:Bool} AND series = {series:UInt64} AND grp = ''
        AND hour >= {start:DateTime('UTC')} AND hour < {end:DateTime('UTC')}
        AND hour NOT IN {edges:Array(DateTime('UTC'))}
    UNION ALL
    SELECT minute AS moment, good, bad
    FROM sli_minutes FINAL
    WHERE (NOT {whole_hours:Bool} OR toStartOfHour(minute) IN {edges:Array(DateTime('UTC'))})
        AND series = {series:UInt64} AND grp = '' AND minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}
)
GROUP BY at
HAVING good + bad > 0
ORDER BY at
