-- Flat rows become rows of spans. Nothing here may raise: whatever the bytes say, the insert must succeed.
-- A start that is 0, beyond 2^63, older than the retention or over an hour ahead is replaced by the arrival time.
-- error: explicit Ok is good; then status ERROR, HTTP and gRPC codes by kind, then error.type (semantic conventions).
CREATE MATERIALIZED VIEW spans_mv TO spans AS
WITH
    toUInt64(toUnixTimestamp64Nano(received_at)) AS received_ns,
    attr_int['rpc.grpc.status_code'] AS grpc_code,
    upper(if(attr_str['rpc.status_code'] != '', attr_str['rpc.status_code'], attr_str['rpc.response.status_code'])) AS rpc_code,
    multiIf(
        attr_int['http.response.status_code'] != 0, attr_int['http.response.status_code'],
        attr_int['http.status_code'] != 0, attr_int['http.status_code'],
        attr_str['http.response.status_code'] != '', toInt64OrZero(attr_str['http.response.status_code']),
        toInt64OrZero(attr_str['http.status_code'])) AS http_code
SELECT
    if(quarantined, received_at, fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC')) AS ts,
    toFixedString(if(length(trace_bytes) = 16, trace_bytes, ''), 16) AS trace_id,
    toFixedString(if(length(span_bytes) = 8, span_bytes, ''), 8) AS span_id,
    toFixedString(if(length(parent_bytes) = 8, parent_bytes, ''), 8) AS parent_span_id,
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
        kind IN ('server', 'consumer') AND http_status >= 500, true,
        kind = 'client' AND http_status >= 400, true,
        kind IN ('server', 'consumer') AND (grpc_code IN (2, 4, 12, 13, 14, 15)
            OR rpc_code IN ('UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS')), true,
        kind = 'client' AND (grpc_code != 0 OR rpc_code NOT IN ('', 'OK')), true,
        mapContains(attr_str, 'error.type')) AS error,
    start_ns = 0 OR start_ns >= 9223372036854775808 OR start_ns < received_ns - toUInt64(retention_s) * 1000000000
        OR start_ns > received_ns + 3600000000000 AS quarantined,
    if(quarantined, start_ns, 0) AS original_start_ns,
    resource_id,
    scope_name,
    scope_version,
    attr_str,
    attr_int,
    attr_num,
    attr_bool,
    attr_raw,
    dropped_attributes,
    toValidUTF8(if(attr_str['http.route'] != '' OR kind != 'server', attr_str['http.route'], attr_str['http.target'])) AS http_route,
    toUInt16(if(http_code BETWEEN 100 AND 599, http_code, 0)) AS http_status,
    toInt8(if(mapContains(attr_bool, 'cache.hit'), attr_bool['cache.hit'], -1)) AS cache_hit,
    if(cache_hit < 0, '', toValidUTF8(multiIf(
        attr_str['cache.name'] != '', attr_str['cache.name'],
        attr_str['db.system.name'] != '', attr_str['db.system.name'],
        attr_str['db.system'] != '', attr_str['db.system'],
        name))) AS cache_name,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(if(t < 9223372036854775808, t, 0)), 'UTC'), event_ns) AS `events.ts`,
    event_names AS `events.name`,
    event_attributes AS `events.attributes`,
    link_traces AS `links.trace_id`,
    link_spans AS `links.span_id`,
    link_attributes AS `links.attributes`
FROM span_decoded
