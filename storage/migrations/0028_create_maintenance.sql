-- Planned work, which does not touch the budget of the objectives that it matches ('' matches any). Rows are never
-- deleted: a window that was ended or called off keeps its place in the record.
CREATE TABLE maintenance
(
    id String,
    start DateTime('UTC'),
    end DateTime('UTC'),
    reason String,
    author String,
    service String,
    environment String,
    slo_id String,
    created_at DateTime64(3, 'UTC'),
    ended_early_at Nullable(DateTime('UTC')),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
