-- Every log record. Five minutes first, service second: the newest ones, of all services or of one, lie together.
-- body_text is what a search looks at: the text of a body that is a string, the bytes of any other. body holds the
-- AnyValue bytes of those others, '' for a string. Its index skips what cannot hold a text.
-- original_ns: the time that was sent where it could not be believed, else 0; ts is then the time of arrival.
CREATE TABLE logs
(
    ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    observed_ts DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    severity_number UInt8 CODEC(ZSTD(1)),
    severity_text LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    origin_id UInt64 CODEC(ZSTD(1)),
    body String CODEC(ZSTD(1)),
    body_text String CODEC(ZSTD(1)),
    event_name LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    dropped_attributes UInt32 CODEC(ZSTD(1)),
    original_ns UInt64 CODEC(ZSTD(1)),
    INDEX idx_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_body_text lower(body_text) TYPE ngrambf_v1(4, 32768, 3, 0) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (toStartOfFiveMinutes(ts), service, ts)
TTL toDate(ts) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, fsync_after_insert = 1, fsync_part_directory = 1
