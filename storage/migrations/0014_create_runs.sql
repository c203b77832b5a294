-- Runs of experiments, as the runner last described them.
CREATE TABLE runs
(
    id String,
    started_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC'),
    body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
