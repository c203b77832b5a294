-- Count the spans of an insert. Quarantined ones are in no rollup.
CREATE MATERIALIZED VIEW span_groups_mv TO span_groups AS
SELECT
    toStartOfMinute(ts) AS t,
    service, environment, version, kind, name, http_route,
    toUInt8(intDiv(http_status, 100)) AS http_class,
    cache_hit,
    if(cache_hit < 0 OR cache_name != '', cache_name, name) AS cache,
    toInt16(floor(log2(greatest(duration_ns, 1)) * 32)) AS bucket,
    sum(weight) AS requests,
    sumIf(weight, error) AS errors,
    sum(duration_ns * weight) AS duration_sum_ns,
    max(duration_ns) AS duration_max_ns
FROM spans
WHERE NOT quarantined
GROUP BY t, service, environment, version, kind, name, http_route, http_class, cache_hit, cache_name, bucket
