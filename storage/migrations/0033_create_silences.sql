-- Alerts that nobody wants to hear of for a while. Rows are never deleted: what was expired keeps its place.
CREATE TABLE silences
(
    id String,
    matchers Array(String),
    starts_at DateTime64(3, 'UTC'),
    ends_at DateTime64(3, 'UTC'),
    author String,
    comment String,
    until_resolved Bool,
    created_at DateTime64(3, 'UTC'),
    expired_at Nullable(DateTime64(3, 'UTC')),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
