-- Copies of the spans of traces that alerts refer to: they outlive the retention of raw spans. Columns are those of spans.
-- trace_spans: how many spans the trace had when it was pinned; of a huge one only some are kept.
CREATE TABLE pinned_spans
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
    trace_spans UInt32,
    pinned_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(pinned_at)
ORDER BY (trace_id, ts, ids)
TTL toDate(pinned_at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
