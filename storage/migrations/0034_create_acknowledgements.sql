-- Who took an alert on. A link that was used once is known by the digest of its token.
CREATE TABLE acknowledgements
(
    alert_id String,
    at DateTime64(3, 'UTC'),
    author String,
    comment String,
    via LowCardinality(String),
    token_digest String
)
ENGINE = MergeTree
ORDER BY (alert_id, at)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
