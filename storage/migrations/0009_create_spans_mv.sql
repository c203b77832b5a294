-- OTLP spans become rows of spans. Nothing here may raise: whatever the bytes say, the insert must succeed.
-- A start that is 0, beyond 2^63, older than the retention or over an hour ahead is replaced by the arrival time.
-- Names that others group and search by are made valid UTF-8 here; attributes keep their bytes and are made so when read.
-- error: explicit Ok is good; then status ERROR, HTTP and gRPC codes by kind, then error.type (semantic conventions).
CREATE MATERIALIZED VIEW spans_mv TO spans AS
WITH
    (kv -> mapFromArrays(
        arrayFilter((k, v) -> isNotNull(v), kv.key, kv.value.string_value),
        arrayMap(v -> assumeNotNull(v), arrayFilter(v -> isNotNull(v), kv.value.string_value)))) AS strings,
    (kv -> mapFromArrays(
        arrayFilter((k, v) -> isNotNull(v), kv.key, kv.value.int_value),
        arrayMap(v -> assumeNotNull(v), arrayFilter(v -> isNotNull(v), kv.value.int_value)))) AS ints,
    (kv -> mapFromArrays(
        arrayFilter((k, v) -> isNotNull(v), kv.key, kv.value.double_value),
        arrayMap(v -> assumeNotNull(v), arrayFilter(v -> isNotNull(v), kv.value.double_value)))) AS doubles,
    (kv -> mapFromArrays(
        arrayFilter((k, v) -> isNotNull(v), kv.key, kv.value.bool_value),
        arrayMap(v -> assumeNotNull(v) != 0, arrayFilter(v -> isNotNull(v), kv.value.bool_value)))) AS bools,
    (kv -> arrayFilter(x -> isNull(x.value.string_value) AND isNull(x.value.int_value) AND isNull(x.value.double_value)
        AND isNull(x.value.bool_value), kv)) AS others,
    (kv -> mapFromArrays(
        others(kv).key,
        arrayMap(x -> multiIf(
            isNotNull(x.value.array_value), concat('a', assumeNotNull(x.value.array_value)),
            isNotNull(x.value.kvlist_value), concat('m', assumeNotNull(x.value.kvlist_value)),
            isNotNull(x.value.bytes_value), concat('b', assumeNotNull(x.value.bytes_value)),
            'n'), others(kv)))) AS raws,
    s.start_time_unix_nano AS start_ns,
    upper(if(attr_str['rpc.status_code'] != '', attr_str['rpc.status_code'], attr_str['rpc.response.status_code'])) AS rpc_code,
    multiIf(
        attr_int['http.response.status_code'] != 0, attr_int['http.response.status_code'],
        attr_int['http.status_code'] != 0, attr_int['http.status_code'],
        attr_str['http.response.status_code'] != '', toInt64OrZero(attr_str['http.response.status_code']),
        toInt64OrZero(attr_str['http.status_code'])) AS http_code
SELECT
    if(quarantined, received_at, fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC')) AS ts,
    toFixedString(if(length(s.trace_id) = 16, s.trace_id, ''), 16) AS trace_id,
    toFixedString(if(length(s.span_id) = 8, s.span_id, ''), 8) AS span_id,
    toFixedString(if(length(s.parent_span_id) = 8, s.parent_span_id, ''), 8) AS parent_span_id,
    s.trace_state AS trace_state,
    s.flags AS flags,
    service,
    environment,
    version,
    toValidUTF8(s.name) AS name,
    CAST(if(s.kind BETWEEN 0 AND 5, s.kind, 0) AS
        Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5)) AS kind,
    if(s.end_time_unix_nano > start_ns, s.end_time_unix_nano - start_ns, 0) AS duration_ns,
    CAST(if(s.status.code BETWEEN 0 AND 2, s.status.code, 0) AS Enum8('unset' = 0, 'ok' = 1, 'error' = 2)) AS status,
    s.status.message AS status_message,
    multiIf(
        status = 'ok', false,
        status = 'error', true,
        kind IN ('server', 'consumer') AND http_status >= 500, true,
        kind = 'client' AND http_status >= 400, true,
        kind IN ('server', 'consumer') AND (attr_int['rpc.grpc.status_code'] IN (2, 4, 12, 13, 14, 15)
            OR rpc_code IN ('UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS')), true,
        kind = 'client' AND (attr_int['rpc.grpc.status_code'] != 0 OR rpc_code NOT IN ('', 'OK')), true,
        mapContains(attr_str, 'error.type')) AS error,
    start_ns = 0 OR start_ns >= 9223372036854775808
        OR start_ns < toUInt64(toUnixTimestamp64Nano(received_at)) - toUInt64(retention_s) * 1000000000
        OR start_ns > toUInt64(toUnixTimestamp64Nano(received_at)) + 3600000000000 AS quarantined,
    if(quarantined, start_ns, 0) AS original_start_ns,
    resource_id,
    scope_name,
    scope_version,
    strings(s.attributes) AS attr_str,
    ints(s.attributes) AS attr_int,
    doubles(s.attributes) AS attr_num,
    bools(s.attributes) AS attr_bool,
    raws(s.attributes) AS attr_raw,
    s.dropped_attributes_count AS dropped_attributes,
    toValidUTF8(if(attr_str['http.route'] != '', attr_str['http.route'], if(kind = 'server', attr_str['http.target'], '')))
        AS http_route,
    toUInt16(if(http_code BETWEEN 100 AND 599, http_code, 0)) AS http_status,
    toInt8(if(mapContains(attr_bool, 'cache.hit'), attr_bool['cache.hit'], -1)) AS cache_hit,
    multiIf(
        cache_hit < 0, '',
        attr_str['cache.name'] != '', toValidUTF8(attr_str['cache.name']),
        attr_str['db.system.name'] != '', toValidUTF8(attr_str['db.system.name']),
        attr_str['db.system'] != '', toValidUTF8(attr_str['db.system']),
        name) AS cache_name,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(if(t < 9223372036854775808, t, 0)), 'UTC'), s.events.time_unix_nano)
        AS `events.ts`,
    s.events.name AS `events.name`,
    s.events.attributes AS `events.attributes`,
    s.links.trace_id AS `links.trace_id`,
    s.links.span_id AS `links.span_id`,
    s.links.attributes AS `links.attributes`
FROM
(
    SELECT received_at, retention_s, resource_id, service, environment, version,
        toValidUTF8(ss.scope.name) AS scope_name, toValidUTF8(ss.scope.version) AS scope_version, arrayJoin(ss.spans) AS s
    FROM
    (
        SELECT received_at, retention_s,
            sipHash64(rs.resource.attributes) AS resource_id,
            strings(rs.resource.attributes) AS r,
            if(r['service.name'] = '', 'unknown_service', toValidUTF8(r['service.name'])) AS service,
            toValidUTF8(if(r['deployment.environment.name'] = '', r['deployment.environment'],
                r['deployment.environment.name'])) AS environment,
            toValidUTF8(r['service.version']) AS version,
            arrayJoin(rs.scope_spans) AS ss
        FROM (SELECT received_at, retention_s, arrayJoin(resource_spans) AS rs FROM otlp_traces)
    )
)
