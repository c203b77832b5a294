-- One SLI's minutes in steps of time over [start, end).
SELECT
    toStartOfInterval(minute, toIntervalSecond({step_s:UInt32}), 'UTC') AS at,
    sum(good) AS good,
    sum(bad) AS bad
FROM sli_minutes FINAL
WHERE series = {series:UInt64} AND grp = '' AND minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}
GROUP BY at
ORDER BY at
