-- Versions of services with requests in [start, end), from the spans themselves, one row a version and step of time that
-- has requests, newest first; '' is a service that does not tell. Steps begin at multiples of their length since 1970.
SELECT toString(service) AS service, toString(version) AS version, count() AS requests, countIf(error) AS errors,
    min(ts) AS first_at, max(ts) AS last_at
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND toStartOfFiveMinutes(ts) <= {end:DateTime64(9, 'UTC')}
    AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
    AND ({service:String} = '' OR service = {service:String})
    AND ({any_environment:Bool} OR environment = {environment:String})
    AND kind IN ('server', 'consumer') AND NOT quarantined
GROUP BY service, version, intDiv(toUnixTimestamp(ts), {step_s:UInt32})
ORDER BY first_at DESC, service, version
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20
