-- Cache lookups by span in steps of time over [start, end), hits and misses apart.
SELECT
    service, environment, cache, hit,
    toStartOfInterval(t, toIntervalSecond({step_s:UInt32}), 'UTC') AS at,
    sum(lookups) AS total,
    sumMap(hist) AS buckets
FROM cache_1m
WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY service, environment, cache, hit, at
ORDER BY service, environment, cache, at
