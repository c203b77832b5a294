-- Bad requests of one SLI in [start, end): of the routes (the operation, where there is none) with the most of them, the
-- worst traces, as the request in it that is worst. Slowest first when the SLI is a latency threshold, else newest.
WITH 18446744073709551615 - if({slowest:Bool}, duration_ns, toUInt64(toUnixTimestamp64Nano(ts))) AS best_first
SELECT trace_id_hex, route, request.1 AS span_id_hex, request.2 AS name, request.3 AS kind_name, request.4 AS start_ns,
    request.5 AS duration_ns, request.6 AS error, request.7 AS weight, request.8 AS service, '' AS parent_id_hex
FROM
(
    SELECT trace_id_hex, route, request, rank, sum(bad) OVER (PARTITION BY route) AS route_bad
    FROM
    (
        SELECT
            lower(hex(trace_id)) AS trace_id_hex,
            toString(if(http_route != '', http_route, name)) AS route,
            argMin((lower(hex(span_id)), toString(name), toString(kind), toUnixTimestamp64Nano(ts), duration_ns, error,
                weight, toString(service)), (best_first, span_id)) AS request,
            min(best_first) AS rank,
            sum(weight) AS bad
        FROM spans
        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
            AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
            AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
            AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/) AND NOT (/*good*/)
        GROUP BY trace_id_hex, route
    )
)
ORDER BY route_bad DESC, route, rank, trace_id_hex
LIMIT {limit:UInt32} BY route
LIMIT {most:UInt32}
