-- What came of every attempt to deliver a notification: the delivery log.
CREATE TABLE delivery_attempts
(
    notification_id String,
    attempt UInt32,
    channel LowCardinality(String),
    status LowCardinality(String),
    error String,
    at DateTime64(3, 'UTC'),
    took_ms UInt32
)
ENGINE = MergeTree
ORDER BY (notification_id, attempt)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
