-- Every span. Time bucket first, trace id second: smallest on disk, and a trace lies in one or two granules.
-- attr_raw holds arrays ('a'), maps ('m'), bytes ('b') and empty values ('n') as their OTLP bytes after that letter.
CREATE TABLE spans
(
    ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    parent_span_id FixedString(8) CODEC(ZSTD(1)),
    trace_state String CODEC(ZSTD(1)),
    flags UInt32 CODEC(T64, ZSTD(1)),
    service LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    name LowCardinality(String),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    status Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
    status_message String CODEC(ZSTD(1)),
    error Bool,
    quarantined Bool,
    original_start_ns UInt64 CODEC(ZSTD(1)),
    resource_id UInt64 CODEC(ZSTD(1)),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    attr_str Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attr_int Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
    attr_num Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    attr_bool Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
    attr_raw Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    dropped_attributes UInt32 CODEC(T64, ZSTD(1)),
    http_route LowCardinality(String),
    http_status UInt16 CODEC(ZSTD(1)),
    cache_hit Int8,
    cache_name LowCardinality(String),
    `events.ts` Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `events.name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `events.attributes` Array(Array(String)) CODEC(ZSTD(1)),
    `links.trace_id` Array(String) CODEC(ZSTD(1)),
    `links.span_id` Array(String) CODEC(ZSTD(1)),
    `links.attributes` Array(Array(String)) CODEC(ZSTD(1)),
    INDEX idx_duration duration_ns TYPE minmax GRANULARITY 1,
    INDEX idx_service service TYPE set(64) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (toStartOfFiveMinutes(ts), trace_id, ts)
TTL toDate(ts) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
