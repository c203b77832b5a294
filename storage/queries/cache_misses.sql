-- Traces of the newest cache misses in [start, end).
SELECT lower(hex(trace_id)) AS trace_id_hex
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
    AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
    AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND NOT quarantined AND (/*filter*/) AND NOT (/*good*/)
GROUP BY trace_id
ORDER BY max(ts) DESC
LIMIT {limit:UInt32}
