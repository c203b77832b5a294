-- Points of gauges, flattened.
CREATE MATERIALIZED VIEW gauge_mv TO metric_decoded AS
WITH
    (kv -> mapFromArrays(kv.key, arrayMap(v -> multiIf(
        isNotNull(v.string_value), assumeNotNull(v.string_value),
        isNotNull(v.int_value), toString(assumeNotNull(v.int_value)),
        isNotNull(v.double_value), toString(assumeNotNull(v.double_value)),
        isNotNull(v.bool_value), if(assumeNotNull(v.bool_value) != 0, 'true', 'false'), ''), kv.value))) AS texts,
    p.time_unix_nano = 0 OR p.time_unix_nano >= 9223372036854775808
        OR p.time_unix_nano < toUInt64(toUnixTimestamp64Nano(received_at)) - toUInt64(retention_s) * 1000000000
        OR p.time_unix_nano > toUInt64(toUnixTimestamp64Nano(received_at)) + 3600000000000 AS misdated
SELECT
    toValidUTF8(m.name) AS metric,
    toValidUTF8(m.description) AS description,
    toValidUTF8(m.unit) AS unit,
    'gauge' AS type,
    toInt32(0) AS temporality,
    false AS monotonic,
    service,
    environment,
    resource_id,
    scope_name,
    texts(p.attributes) AS attributes,
    sipHash64(metric, type, unit, temporality, monotonic, resource_id, scope_name, arraySort(mapKeys(attributes)),
        arraySort((v, k) -> k, mapValues(attributes), mapKeys(attributes))) AS series_id,
    if(misdated, toDateTime64(received_at, 3, 'UTC'), toDateTime64(fromUnixTimestamp64Nano(toInt64(p.time_unix_nano), 'UTC'), 3, 'UTC')) AS ts,
    toDateTime64(fromUnixTimestamp64Nano(toInt64(if(p.start_time_unix_nano < 9223372036854775808, p.start_time_unix_nano, 0)), 'UTC'), 3, 'UTC') AS start_ts,
    ifNull(p.as_double, toFloat64(ifNull(p.as_int, 0))) AS value,
    p.flags AS flags
FROM
(
    SELECT received_at, retention_s, resource_id, service, environment, scope_name, m, arrayJoin(m.gauge.data_points) AS p
    FROM
    (
        SELECT received_at, retention_s, resource_id, service, environment, sm.scope.name AS scope_name, arrayJoin(sm.metrics) AS m
        FROM
        (
            SELECT received_at, retention_s, sipHash64(rm.resource.attributes) AS resource_id, texts(rm.resource.attributes) AS r,
                if(r['service.name'] = '', 'unknown_service', toValidUTF8(r['service.name'])) AS service,
                toValidUTF8(if(r['deployment.environment.name'] = '', r['deployment.environment'],
                    r['deployment.environment.name'])) AS environment,
                arrayJoin(rm.scope_metrics) AS sm
            FROM (SELECT received_at, retention_s, arrayJoin(resource_metrics) AS rm FROM otlp_metrics)
        )
    )
)
