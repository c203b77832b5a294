-- Exemplars of the points of an insert. Those of a time that cannot be believed get their point's.
CREATE MATERIALIZED VIEW exemplars_mv TO exemplars AS
SELECT
    metric, series_id,
    if(e.time_unix_nano BETWEEN received_ns - /*metrics_retention_ns*/ AND received_ns + 3600000000000,
        fromUnixTimestamp64Nano(toInt64(e.time_unix_nano), 'UTC'), ts) AS ts,
    ifNull(e.as_double, toFloat64(e.as_int)) AS value,
    if(e.as_int BETWEEN -9007199254740992 AND 9007199254740992, 0, e.as_int) AS exact_int,
    toFixedString(if(length(e.trace_id) = 16, e.trace_id, ''), 16) AS trace_id,
    toFixedString(if(length(e.span_id) = 8, e.span_id, ''), 8) AS span_id,
    mapFromArrays(e.filtered_attributes.key, e.filtered_attributes.value) AS attributes
FROM (SELECT received_ns, metric, series_id, ts, arrayJoin(p.exemplars) AS e FROM metric_decoded)
