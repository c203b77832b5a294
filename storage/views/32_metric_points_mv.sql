-- Points of gauges and sums of an insert.
CREATE MATERIALIZED VIEW metric_points_mv TO metric_points AS
SELECT
    metric, series_id, ts, start_ts,
    if(bitAnd(p.flags, 1) = 1, nan, ifNull(p.as_double, toFloat64(p.as_int))) AS value,
    if(p.as_int BETWEEN -9007199254740992 AND 9007199254740992, 0, p.as_int) AS exact_int,
    p.flags AS flags,
    original_ns
FROM metric_decoded
WHERE type IN ('gauge', 'sum')
