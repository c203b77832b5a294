-- Traces of bad events in [start, end): newest failing ones, or the slowest when the SLI is a latency threshold.
SELECT lower(hex(trace_id)) AS trace_id_hex
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
    AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
    AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND bitTest({kinds:UInt8}, toUInt8(kind)) AND NOT quarantined
    AND (/*filter*/) AND NOT (/*good*/)
GROUP BY trace_id
ORDER BY if({slowest:Bool}, max(duration_ns), toUInt64(toUnixTimestamp(max(ts)))) DESC
LIMIT {limit:UInt32}
