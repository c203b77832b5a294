-- Flat rows become rows of spans. Nothing here may raise: whatever the bytes say, the insert must succeed.
-- Old and new names of the semantic conventions mean the same here; the attributes themselves stay as they came.
-- A start that is 0, beyond 2^63, older than the retention or over an hour ahead is replaced by the arrival time.
-- error: explicit Ok is good; then status ERROR, HTTP and gRPC codes by kind, then error.type.
-- weight: 2^56 / (2^56 - th), th being the rejection threshold in the trace state (ot=th:...), else the service's ratio.
CREATE MATERIALIZED VIEW spans_mv TO spans AS
WITH
    toUInt64(toUnixTimestamp64Nano(received_at)) AS received_ns,
    if(attributes['http.response.status_code'] != '', attributes['http.response.status_code'],
        attributes['http.status_code']) AS http_value,
    if(startsWith(http_value, '\x18'),
        bitAnd(reinterpretAsUInt8(substring(http_value, 2, 1)), 127) + 128 * reinterpretAsUInt8(substring(http_value, 3, 1)),
        toUInt16OrZero(substring(http_value, 3))) AS http_code,
    attributes['rpc.grpc.status_code'] AS grpc_value,
    upper(substring(if(attributes['rpc.status_code'] != '', attributes['rpc.status_code'],
        attributes['rpc.response.status_code']), 3)) AS rpc_code,
    attributes[/*cache_key*/] AS cache_value,
    multiIf(
        attributes['cache.name'] != '', attributes['cache.name'],
        attributes['db.system.name'] != '', attributes['db.system.name'],
        attributes['db.system']) AS cache_name_value,
    if(trace_state = '', '', extract(trace_state, '(?:^|,)ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,]|$)')) AS threshold,
    reinterpretAsUInt64(reverse(unhex(rightPad(threshold, 14, '0')))) AS rejected
SELECT
    if(quarantined, received_at, fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC')) AS ts,
    toFixedString(if(length(trace_bytes) = 16, trace_bytes, ''), 16) AS trace_id,
    toFixedString(concat(if(length(parent_bytes) = 8, parent_bytes, '\0\0\0\0\0\0\0\0'),
        if(length(span_bytes) = 8, span_bytes, '')), 16) AS ids,
    trace_state,
    flags,
    service,
    environment,
    version,
    name,
    kind,
    if(end_ns > start_ns, end_ns - start_ns, 0) AS duration_ns,
    status,
    status_message,
    multiIf(
        status = 'ok', false,
        status = 'error', true,
        kind IN ('server', 'consumer'), http_code BETWEEN 500 AND 599
            OR grpc_value IN ('\x18\x02', '\x18\x04', '\x18\x0C', '\x18\x0D', '\x18\x0E', '\x18\x0F')
            OR rpc_code IN ('UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS')
            OR mapContains(attributes, 'error.type'),
        kind = 'client', http_code BETWEEN 400 AND 599 OR grpc_value NOT IN ('', '\x18\0') OR rpc_code NOT IN ('', 'OK')
            OR mapContains(attributes, 'error.type'),
        mapContains(attributes, 'error.type')) AS error,
    if(threshold = '', sampled_one_in,
        toUInt32(least(round(72057594037927936 / (72057594037927936 - least(rejected, 72057594037927935))), /*heaviest*/))) AS weight,
    start_ns = 0 OR start_ns >= 9223372036854775808 OR start_ns < received_ns - /*retention_ns*/
        OR start_ns > received_ns + 3600000000000 AS quarantined,
    if(quarantined, start_ns, 0) AS original_start_ns,
    if(quarantined OR end_ns < start_ns, end_ns, 0) AS original_end_ns,
    origin_id,
    attributes,
    dropped_attributes,
    events,
    dropped_events,
    links,
    dropped_links,
    toValidUTF8(otlp_string(attributes['http.route'])) AS http_route,
    if(http_code BETWEEN 100 AND 599, http_code, 0) AS http_status,
    multiIf(cache_value IN (/*cache_hits*/), 1, cache_value IN (/*cache_misses*/), 0, -1) AS cache_hit,
    if(cache_hit < 0, '', toValidUTF8(otlp_string(cache_name_value))) AS cache_name
FROM span_decoded
