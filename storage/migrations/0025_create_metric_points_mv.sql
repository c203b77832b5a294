-- Points of gauges and sums; points without a recorded value (flag 1) are kept with their flag.
CREATE MATERIALIZED VIEW metric_points_mv TO metric_points AS
SELECT metric, series_id, ts, start_ts, value, flags
FROM metric_decoded
WHERE type != 'histogram'
