-- Messages, decided before they are sent, in batches like transitions. Who stored the last row of an id sends it.
CREATE TABLE notifications
(
    batch UInt64,
    writer String,
    id String,
    channel LowCardinality(String),
    group_key String,
    number UInt32,
    at DateTime64(3, 'UTC'),
    firing Array(String),
    resolved Array(String),
    body String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY (channel, group_key, number)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1
