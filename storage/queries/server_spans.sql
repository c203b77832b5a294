-- Server spans of `services` in each minute of [start, end), by environment; a sampled span counts for all it stands for.
SELECT service, environment, t AS minute, sum(requests) AS spans
FROM red_1m
WHERE kind = 'server' AND service IN {services:Array(String)}
    AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY service, environment, minute
