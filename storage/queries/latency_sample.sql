-- How long the selected requests of one service took: all of them counted, and the durations of at most `limit`, drawn by a
-- hash of their trace ids, so that asking again gives the same ones.
WITH requests AS
(
    SELECT trace_id, span_id, duration_ns
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
        AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
        AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
        AND ({any_version:Bool} OR version = {version:String})
        AND kind IN ('server', 'consumer') AND NOT quarantined
        AND ({any_trace:Bool} OR trace_point({seed:String}, trace_id) BETWEEN {first_point:UInt64} AND {last_point:UInt64})
)
SELECT
    (SELECT count() FROM requests) AS total,
    arraySort(groupArray(duration_ns / 1e6)) AS durations_ms
FROM (SELECT duration_ns FROM requests ORDER BY sipHash64(trace_id), span_id LIMIT {limit:UInt32})
SETTINGS max_execution_time = 20
