-- Every span. Time bucket first, trace id second: smallest on disk, and a trace lies in one or two granules.
-- Attribute values, events and links are the OTLP bytes as they came (AnyValue, Event and Link messages): the API reads
-- them exactly, and the functions otlp_* read scalars in SQL.
-- ids: parent and own id in one column, because a parent's id is another span's own id near by: 9.5 bytes a span, not 15.4.
-- weight: how many spans this one stands for, by its sampling probability. quarantined: its time could not be believed.
CREATE TABLE spans
(
    ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    ids FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) ALIAS toFixedString(substring(ids, 9, 8), 8),
    parent_span_id FixedString(8) ALIAS toFixedString(substring(ids, 1, 8), 8),
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
    weight UInt32 CODEC(T64, ZSTD(1)),
    quarantined Bool,
    original_start_ns UInt64 CODEC(ZSTD(1)),
    original_end_ns UInt64 CODEC(ZSTD(1)),
    origin_id UInt64 CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    dropped_attributes UInt32 CODEC(T64, ZSTD(1)),
    events Array(String) CODEC(ZSTD(3)),
    dropped_events UInt32 CODEC(T64, ZSTD(1)),
    links Array(String) CODEC(ZSTD(3)),
    dropped_links UInt32 CODEC(T64, ZSTD(1)),
    http_route LowCardinality(String),
    http_status UInt16 CODEC(ZSTD(1)),
    cache_hit Int8,
    cache_name LowCardinality(String),
    INDEX idx_duration duration_ns TYPE minmax GRANULARITY 1,
    INDEX idx_service service TYPE set(64) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (toStartOfFiveMinutes(ts), trace_id, ts)
TTL toDate(ts) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, fsync_after_insert = 1, fsync_part_directory = 1
