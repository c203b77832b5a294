-- Services none of whose spans is a request.
SELECT
    service, environment,
    sum(requests) AS spans,
    sumIf(requests, kind IN ('internal', 'unspecified')) AS internal,
    sumIf(requests, kind IN ('client', 'producer')) AS outgoing,
    arraySlice(groupUniqArray(toString(name)), 1, 3) AS examples
FROM red_1m
WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')} AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment
HAVING sumIf(requests, kind IN ('server', 'consumer')) = 0
ORDER BY service, environment
