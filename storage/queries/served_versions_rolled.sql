-- Versions of services with requests in [start, end), whole minutes, from the rollup; '' is a service that does not tell.
SELECT toString(service) AS service, toString(version) AS version, sum(requests) AS requests, sum(errors) AS errors,
    toDateTime64(min(t), 9, 'UTC') AS first_at, toDateTime64(max(t), 9, 'UTC') AS last_at
FROM red_1m
WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
    AND ({service:String} = '' OR service = {service:String})
    AND ({any_environment:Bool} OR environment = {environment:String})
    AND kind IN ('server', 'consumer')
GROUP BY service, version
ORDER BY service, first_at, version
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20
