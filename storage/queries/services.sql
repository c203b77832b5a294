-- Rate, errors and latency buckets of the requests of every service in [start, end).
SELECT
    service AS name,
    environment,
    arraySort(groupUniqArrayIf(toString(version), version != '')) AS versions,
    sum(requests) AS total,
    sum(errors) AS failed,
    sumMap(hist) AS buckets,
    min(t) AS first_minute,
    max(t) AS last_minute
FROM red_1m
WHERE kind IN ('server', 'consumer') AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY name, environment
ORDER BY name, environment
