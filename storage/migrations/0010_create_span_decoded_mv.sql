-- OTLP requests become flat rows; names that others group and search by are made valid UTF-8, attributes keep their bytes.
CREATE MATERIALIZED VIEW span_decoded_mv TO span_decoded AS
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
            'n'), others(kv)))) AS raws
SELECT
    received_at,
    retention_s,
    resource_id,
    service,
    environment,
    version,
    scope_name,
    scope_version,
    s.trace_id AS trace_bytes,
    s.span_id AS span_bytes,
    s.parent_span_id AS parent_bytes,
    s.trace_state AS trace_state,
    s.flags AS flags,
    toValidUTF8(s.name) AS name,
    if(s.kind BETWEEN 0 AND 5, s.kind, 0) AS kind,
    s.start_time_unix_nano AS start_ns,
    s.end_time_unix_nano AS end_ns,
    if(s.status.code BETWEEN 0 AND 2, s.status.code, 0) AS status,
    s.status.message AS status_message,
    s.dropped_attributes_count AS dropped_attributes,
    strings(s.attributes) AS attr_str,
    ints(s.attributes) AS attr_int,
    doubles(s.attributes) AS attr_num,
    bools(s.attributes) AS attr_bool,
    raws(s.attributes) AS attr_raw,
    s.events.time_unix_nano AS event_ns,
    s.events.name AS event_names,
    s.events.attributes AS event_attributes,
    s.links.trace_id AS link_traces,
    s.links.span_id AS link_spans,
    s.links.attributes AS link_attributes
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
