-- When each evaluator last worked: what one that has died left unsent is taken over by another.
CREATE TABLE evaluators
(
    writer String,
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY writer
TTL toDate(at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
