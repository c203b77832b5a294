-- Points of exponential histograms of an insert.
CREATE MATERIALIZED VIEW metric_exponential_histograms_mv TO metric_exponential_histograms AS
SELECT
    metric, series_id, ts, start_ts, p.count AS count, p.sum AS sum, p.min AS min, p.max AS max,
    p.scale AS scale, p.zero_count AS zero_count, p.zero_threshold AS zero_threshold,
    p.positive.offset AS positive_offset, p.positive.bucket_counts AS positive_counts,
    p.negative.offset AS negative_offset, p.negative.bucket_counts AS negative_counts,
    p.flags AS flags, original_ns
FROM metric_decoded
WHERE type = 'exponential_histogram'
