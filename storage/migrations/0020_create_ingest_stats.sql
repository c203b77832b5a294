-- What became of everything that a collector received: a row every 10 s for each signal. Counters run from `started_at`,
-- so a report that could not be stored is made good by the next one.
CREATE TABLE ingest_stats
(
    collector LowCardinality(String),
    signal LowCardinality(String),
    at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    started_at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    received_items UInt64 CODEC(Delta, ZSTD(1)),
    accepted_items UInt64 CODEC(Delta, ZSTD(1)),
    rejected_items UInt64 CODEC(Delta, ZSTD(1)),
    repeated_items UInt64 CODEC(Delta, ZSTD(1)),
    refused_items UInt64 CODEC(Delta, ZSTD(1)),
    refused_requests Map(LowCardinality(String), UInt64),
    found_items UInt64,
    waiting_items UInt64,
    stored_items UInt64 CODEC(Delta, ZSTD(1)),
    put_aside_items UInt64,
    unaccounted_items UInt64,
    dead_letters UInt64,
    damaged_requests UInt64,
    spool_bytes UInt64,
    spool_fill Float64,
    spool_oldest_s Float64,
    shedding_level UInt8,
    breaker LowCardinality(String),
    breaker_s Float64,
    last_stored_at Nullable(DateTime('UTC')),
    last_error String,
    final Bool
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (signal, collector, started_at, at)
TTL toDate(at) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1
