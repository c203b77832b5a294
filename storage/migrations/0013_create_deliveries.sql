-- What became of a transition on each channel: the outbox reads what is missing here.
CREATE TABLE deliveries
(
    alert_id String,
    sequence UInt32,
    channel LowCardinality(String),
    status LowCardinality(String),
    attempt UInt32,
    error String,
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (alert_id, sequence, channel)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
