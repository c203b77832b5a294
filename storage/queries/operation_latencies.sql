-- Requests, errors and latency buckets of the operations of one service, or of one version of it, in [start, end).
SELECT name, toString(kind) AS kind_name, sum(requests) AS total, sum(errors) AS failed, sumMap(hist) AS buckets
FROM red_1m
WHERE service = {service:String} AND environment = {environment:String}
    AND ({any_version:Bool} OR version = {version:String})
    AND kind IN ('server', 'consumer') AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY name, kind_name
ORDER BY total DESC, name
LIMIT 200
