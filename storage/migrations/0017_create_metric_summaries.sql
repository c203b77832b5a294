-- Points of summaries: quantiles that the sender worked out. Flags and original_ns as in metric_points.
CREATE TABLE metric_summaries
(
    metric LowCardinality(String),
    series_id UInt64 CODEC(Delta, ZSTD(1)),
    ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start_ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    count UInt64 CODEC(T64, ZSTD(1)),
    sum Float64 CODEC(ZSTD(1)),
    quantiles Array(Float64) CODEC(ZSTD(1)),
    quantile_values Array(Float64) CODEC(ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    original_ns UInt64 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, toStartOfHour(ts), series_id, ts)
TTL toDate(ts) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, fsync_after_insert = 1, fsync_part_directory = 1
