-- Points of gauges and sums. A point flagged "no recorded value" (bit 0 of flags) ends its series: its value is NaN.
-- exact_int: the integer that was sent where a double would round it, else 0.
-- original_ns: the time that was sent where it could not be believed, else 0; ts is then the time of arrival.
CREATE TABLE metric_points
(
    metric LowCardinality(String),
    series_id UInt64 CODEC(Delta, ZSTD(1)),
    ts DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start_ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    value Float64 CODEC(Gorilla, ZSTD(1)),
    exact_int Int64 CODEC(ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    original_ns UInt64 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, toStartOfHour(ts), series_id, ts)
TTL toDate(ts) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, fsync_after_insert = 1, fsync_part_directory = 1
