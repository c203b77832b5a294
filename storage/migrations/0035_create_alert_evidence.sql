-- What was known of the cause when an alert fired, and the page that shows it, frozen.
CREATE TABLE alert_evidence
(
    alert_id String,
    at DateTime64(3, 'UTC'),
    body String CODEC(ZSTD(3)),
    page String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(at)
ORDER BY alert_id
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
