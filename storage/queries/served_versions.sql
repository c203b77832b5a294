-- Versions of services with requests in [start, end), from the spans themselves; '' is a service that does not tell.
SELECT toString(service) AS service, toString(version) AS version, count() AS requests, countIf(error) AS errors,
    min(ts) AS first_at, max(ts) AS last_at
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND toStartOfFiveMinutes(ts) <= {end:DateTime64(9, 'UTC')}
    AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
    AND ({service:String} = '' OR service = {service:String})
    AND ({any_environment:Bool} OR environment = {environment:String})
    AND kind IN ('server', 'consumer') AND NOT quarantined
GROUP BY service, version
ORDER BY service, first_at, version
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20
