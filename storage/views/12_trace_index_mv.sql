-- Time range, size and root of each trace of an insert.
CREATE MATERIALIZED VIEW trace_index_mv TO trace_index AS
SELECT
    trace_id,
    toDate(ts) AS day,
    min(ts) AS start_ts,
    max(ts + toIntervalNanosecond(least(duration_ns, 604800000000000))) AS end_ts,
    count() AS spans,
    countIf(error) AS errors,
    maxIf(toString(service), startsWith(ids, '\0\0\0\0\0\0\0\0')) AS root_service,
    maxIf(toString(name), startsWith(ids, '\0\0\0\0\0\0\0\0')) AS root_name,
    groupUniqArray(toString(service)) AS services
FROM spans
GROUP BY trace_id, day
