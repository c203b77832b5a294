-- Which minutes of which service received rows, and when they arrived: what the evaluator has to count again.
CREATE TABLE arrivals
(
    arrived DateTime('UTC'),
    service LowCardinality(String),
    environment LowCardinality(String),
    minute DateTime('UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(arrived)
ORDER BY (arrived, service, environment, minute)
TTL arrived + INTERVAL 3 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
