-- Bad or good requests of one SLI in [start, end), at most `limit` of them, by a hash of the trace id: the same ones every
-- time, spread over the window as the requests are. Names: only of these operations, or of all.
SELECT
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(span_id)) AS span_id_hex,
    '' AS parent_id_hex,
    service, name, toString(kind) AS kind_name,
    toUnixTimestamp64Nano(ts) AS start_ns,
    duration_ns, error, weight
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
    AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
    AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/)
    AND (/*good*/) = {good:Bool} AND (empty({names:Array(String)}) OR name IN {names:Array(String)})
ORDER BY cityHash64(trace_id), span_id
LIMIT {limit:UInt32}
