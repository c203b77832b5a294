-- Traces of the selected requests of one service: those that failed first, then the slowest. With a threshold only those
-- that failed or took longer.
SELECT lower(hex(trace_id)) AS trace_id_hex
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
    AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND ({any_version:Bool} OR version = {version:String})
    AND kind IN ('server', 'consumer') AND NOT quarantined
    AND ({any_trace:Bool} OR trace_point({seed:String}, trace_id) BETWEEN {first_point:UInt64} AND {last_point:UInt64})
    AND ({threshold_ns:UInt64} = 0 OR error OR duration_ns > {threshold_ns:UInt64})
GROUP BY trace_id
ORDER BY max(error) DESC, max(duration_ns) DESC, trace_id
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20
