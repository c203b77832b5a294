-- Services with so many operation names or routes that the rollups no longer tell them all apart.
SELECT
    service, environment,
    sum(requests) AS spans,
    sumIf(requests, name = '__other__' OR http_route = '__other__') AS folded,
    arraySlice(groupUniqArrayIf(20)(toString(name), name != '__other__'), 1, 3) AS examples
FROM red_1m
WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')} AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment
HAVING folded > 0
ORDER BY service, environment
