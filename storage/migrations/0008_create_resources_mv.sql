-- Resources of an insert, one row for each distinct set of attributes.
CREATE MATERIALIZED VIEW resources_mv TO resources AS
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
    resource_id,
    if(attr_str['service.name'] = '', 'unknown_service', toValidUTF8(attr_str['service.name'])) AS service,
    toValidUTF8(if(attr_str['deployment.environment.name'] = '', attr_str['deployment.environment'],
        attr_str['deployment.environment.name'])) AS environment,
    toValidUTF8(attr_str['service.version']) AS version,
    strings(kv) AS attr_str,
    ints(kv) AS attr_int,
    doubles(kv) AS attr_num,
    bools(kv) AS attr_bool,
    raws(kv) AS attr_raw,
    toStartOfMonth(now('UTC')) AS month,
    now('UTC') AS last_seen
FROM
(
    SELECT sipHash64(attributes) AS resource_id, any(attributes) AS kv
    FROM (SELECT arrayJoin(resource_spans.resource.attributes) AS attributes FROM otlp_traces)
    GROUP BY resource_id
)
