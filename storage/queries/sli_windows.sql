-- Sums of SLI minutes over several windows that end together, and the first minute that each series knows.
SELECT
    series,
    sumForEach(arrayMap(start -> if(minute >= start, good, 0), {starts:Array(DateTime('UTC'))})) AS good,
    sumForEach(arrayMap(start -> if(minute >= start, bad, 0), {starts:Array(DateTime('UTC'))})) AS bad,
    min(minute) AS first_minute
FROM sli_minutes FINAL
WHERE series IN {series:Array(UInt64)} AND grp = ''
    AND minute >= {oldest:DateTime('UTC')} AND minute < {end:DateTime('UTC')}
GROUP BY series
