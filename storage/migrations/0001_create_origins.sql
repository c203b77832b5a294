-- Where telemetry comes from: a resource and an instrumentation scope, with everything that they say of themselves.
-- One row a month for each distinct pair; spans, metric series and log records refer to it by origin_id.
CREATE TABLE origins
(
    origin_id UInt64,
    service LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    dropped_attributes UInt32,
    schema_url LowCardinality(String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    scope_attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    scope_dropped_attributes UInt32,
    scope_schema_url LowCardinality(String),
    month Date,
    last_seen DateTime('UTC')
)
ENGINE = ReplacingMergeTree(last_seen)
PARTITION BY month
ORDER BY (service, environment, origin_id)
TTL month + INTERVAL 431 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
