-- What a series is: its metric, its attributes (AnyValue bytes) and where it comes from; points refer to it by series_id.
-- One row a month for each series, with the last time that it was seen, to ten minutes.
CREATE TABLE metric_series
(
    metric LowCardinality(String),
    series_id UInt64,
    type Enum8('gauge' = 0, 'sum' = 1, 'histogram' = 2, 'exponential_histogram' = 3, 'summary' = 4),
    unit LowCardinality(String),
    description LowCardinality(String),
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
    monotonic Bool,
    service LowCardinality(String),
    environment LowCardinality(String),
    origin_id UInt64,
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    month Date,
    last_seen DateTime('UTC')
)
ENGINE = ReplacingMergeTree(last_seen)
PARTITION BY month
ORDER BY (metric, service, series_id)
TTL month + INTERVAL 431 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
