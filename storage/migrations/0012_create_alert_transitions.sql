-- State changes of alerts. The deduplication window makes an insert under the token <alert>:<sequence> a
-- compare-and-set: of several writers one row is kept, and the writer named in it owns the transition.
CREATE TABLE alert_transitions
(
    alert_id String,
    sequence UInt32,
    slo_id String,
    severity LowCardinality(String),
    state LowCardinality(String),
    at DateTime64(3, 'UTC'),
    writer String,
    body String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY (alert_id, sequence)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1
