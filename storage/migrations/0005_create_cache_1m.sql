-- Cache lookups per minute, hits and misses apart with their latency (buckets as in red_1m).
CREATE TABLE cache_1m
(
    t DateTime('UTC') CODEC(Delta, ZSTD(1)),
    service LowCardinality(String),
    environment LowCardinality(String),
    cache LowCardinality(String),
    hit Bool,
    lookups SimpleAggregateFunction(sum, UInt64),
    hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(t)
ORDER BY (service, environment, cache, hit, t)
TTL toDate(t) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
