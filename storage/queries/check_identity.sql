-- What services say of themselves: their resources and scopes, by environment.
SELECT
    service, environment,
    uniqExact(origin_id) AS origins,
    uniqExactIf(origin_id, version = '') AS without_version,
    arrayFilter(x -> x != '', arraySlice(groupUniqArray(otlp_string(attributes['host.name'])), 1, 3)) AS examples
FROM origins
WHERE last_seen >= {start:DateTime('UTC')} AND month >= toStartOfMonth({start:DateTime('UTC')})
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment
ORDER BY service, environment
