-- Requests of one service in steps of time over [start, end).
SELECT
    toStartOfInterval(t, toIntervalSecond({step_s:UInt32}), 'UTC') AS at,
    sum(requests) AS total,
    sum(errors) AS failed,
    sumMap(hist) AS buckets
FROM red_1m
WHERE kind IN ('server', 'consumer') AND service = {service:String} AND environment = {environment:String}
    AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY at
ORDER BY at
