-- Single measurements that lead from a point to a trace. exact_int as in metric_points.
CREATE TABLE exemplars
(
    metric LowCardinality(String),
    series_id UInt64 CODEC(Delta, ZSTD(1)),
    ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    value Float64 CODEC(ZSTD(1)),
    exact_int Int64 CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, toStartOfHour(ts), series_id, ts)
TTL toDate(ts) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, fsync_after_insert = 1, fsync_part_directory = 1
