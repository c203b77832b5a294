-- Operations of one service in [start, end), busiest first.
SELECT
    name,
    toString(kind) AS kind_name,
    sum(requests) AS total,
    sum(errors) AS failed,
    sumMap(hist) AS buckets
FROM red_1m
WHERE service = {service:String} AND environment = {environment:String}
    AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY name, kind_name
ORDER BY total DESC
LIMIT 100
