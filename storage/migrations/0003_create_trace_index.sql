-- Where a trace lies in time and what it is, so that a trace is found by id without a scan.
CREATE TABLE trace_index
(
    trace_id FixedString(16) CODEC(ZSTD(1)),
    day Date,
    start_ts SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
    end_ts SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
    spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    root_service SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    root_name SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    services SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY trace_id
TTL day + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
