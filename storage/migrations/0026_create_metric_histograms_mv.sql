-- Points of histograms.
CREATE MATERIALIZED VIEW metric_histograms_mv TO metric_histograms AS
SELECT metric, series_id, ts, start_ts, count, sum, min, max, bounds, counts, flags
FROM metric_decoded
WHERE type = 'histogram'
