-- Rate, errors and duration of each minute and operation of an insert.
CREATE MATERIALIZED VIEW red_1m_mv TO red_1m AS
SELECT
    toStartOfMinute(ts) AS t,
    service, environment, version, kind, name, http_route,
    toUInt8(intDiv(http_status, 100)) AS http_class,
    count() AS requests,
    countIf(error) AS errors,
    sum(duration_ns) AS duration_sum_ns,
    max(duration_ns) AS duration_max_ns,
    sumMap(map(toInt16(floor(log2(greatest(duration_ns, 1)) * 32)), toUInt64(1))) AS hist
FROM spans
WHERE NOT quarantined
GROUP BY t, service, environment, version, kind, name, http_route, http_class
