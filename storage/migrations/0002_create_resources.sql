-- One row per distinct set of resource attributes and month; spans and metric series refer to it by resource_id.
CREATE TABLE resources
(
    resource_id UInt64,
    service LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    attr_str Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    attr_int Map(LowCardinality(String), Int64) CODEC(ZSTD(3)),
    attr_num Map(LowCardinality(String), Float64) CODEC(ZSTD(3)),
    attr_bool Map(LowCardinality(String), Bool) CODEC(ZSTD(3)),
    attr_raw Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    month Date,
    last_seen DateTime('UTC')
)
ENGINE = ReplacingMergeTree(last_seen)
PARTITION BY month
ORDER BY (service, environment, resource_id)
TTL month + INTERVAL 431 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
