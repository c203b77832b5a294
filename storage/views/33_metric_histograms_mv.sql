-- Points of histograms of an insert.
CREATE MATERIALIZED VIEW metric_histograms_mv TO metric_histograms AS
SELECT
    metric, series_id, ts, start_ts, p.count AS count, p.sum AS sum, p.min AS min, p.max AS max,
    p.explicit_bounds AS bounds, p.bucket_counts AS counts, p.flags AS flags, original_ns
FROM metric_decoded
WHERE type = 'histogram'
