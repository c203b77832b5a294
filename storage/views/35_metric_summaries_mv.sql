-- Points of summaries of an insert.
CREATE MATERIALIZED VIEW metric_summaries_mv TO metric_summaries AS
SELECT
    metric, series_id, ts, start_ts, p.count AS count, ifNull(p.sum, 0) AS sum,
    p.quantile_values.quantile AS quantiles, p.quantile_values.value AS quantile_values, p.flags AS flags, original_ns
FROM metric_decoded
WHERE type = 'summary'
