-- Requests of one service that started in [start, end), from the spans themselves; of one arm, of those of some traces.
SELECT
    count() AS total,
    countIf(error) AS errors,
    countIf({threshold_ns:UInt64} > 0 AND duration_ns > {threshold_ns:UInt64}) AS slow,
    if(total = 0, NULL, quantileExact(0.5)(duration_ns) / 1e6) AS p50_ms,
    if(total = 0, NULL, quantileExact(0.95)(duration_ns) / 1e6) AS p95_ms
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
    AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND ({any_version:Bool} OR version = {version:String})
    AND kind IN ('server', 'consumer') AND NOT quarantined
    AND ({any_trace:Bool} OR trace_point({seed:String}, trace_id) BETWEEN {first_point:UInt64} AND {last_point:UInt64})
SETTINGS max_execution_time = 20
