-- What a series is; its points refer to it by series_id.
CREATE TABLE metric_series
(
    metric LowCardinality(String),
    series_id UInt64,
    type Enum8('gauge' = 0, 'sum' = 1, 'histogram' = 2),
    unit LowCardinality(String),
    description String CODEC(ZSTD(3)),
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
    monotonic Bool,
    service LowCardinality(String),
    environment LowCardinality(String),
    resource_id UInt64,
    scope_name LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    month Date,
    last_seen DateTime('UTC')
)
ENGINE = ReplacingMergeTree(last_seen)
PARTITION BY month
ORDER BY (metric, service, series_id)
TTL month + INTERVAL 431 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
