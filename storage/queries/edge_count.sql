-- Calls from one service to another that started in [start, end): the caller's client spans with a child in the other
-- service, or, where the call never arrived, with its name as peer or the destination that answered calls use.
WITH client_spans AS
(
    SELECT trace_id, span_id, duration_ns, error, otlp_string(attributes['server.address']) AS address, otlp_int(attributes['server.port']) AS port,
        otlp_string(attributes['peer.service']) AS peer
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
        AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
        AND service = {client:String} AND kind = 'client'
        AND ({any_environment:Bool} OR environment = {environment:String})
        AND ({any_version:Bool} OR version = {version:String})
        AND ({any_trace:Bool} OR trace_point({seed:String}, trace_id) BETWEEN {first_point:UInt64} AND {last_point:UInt64})
),
server_spans AS
(
    SELECT trace_id, parent_span_id
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')}) - 3600
        AND ts >= {start:DateTime64(9, 'UTC')} - toIntervalMinute(60) AND ts < {end:DateTime64(9, 'UTC')} + toIntervalMinute(5)
        AND service = {server:String} AND kind IN ('server', 'consumer')
),
destinations AS
(
    SELECT DISTINCT otlp_string(attributes['server.address']) AS address, otlp_int(attributes['server.port']) AS port
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')}) - 3600
        AND ts >= {start:DateTime64(9, 'UTC')} - toIntervalMinute(60) AND ts < {end:DateTime64(9, 'UTC')}
        AND service = {client:String} AND kind = 'client' AND address != ''
        AND (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM server_spans)
)
SELECT
    count() AS calls,
    countIf(error) AS errors,
    if(calls = 0, NULL, quantileExact(0.5)(duration_ns) / 1e6) AS p50_ms,
    if(calls = 0, NULL, quantileExact(0.95)(duration_ns) / 1e6) AS p95_ms
FROM client_spans
WHERE (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM server_spans)
    OR peer = {server:String} OR (address != '' AND (address, port) IN (SELECT address, port FROM destinations))
SETTINGS max_execution_time = 20
