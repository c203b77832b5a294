-- How far the past of an SLI is counted: newest first, from covers_until back to done_until, on the way to covers_from.
-- One row for each source that is counted; a later revision replaces an earlier one.
CREATE TABLE sli_backfills
(
    series UInt64,
    slo_id String,
    source Enum8('spans' = 0, 'rollup' = 1, 'metrics' = 2),
    covers_from DateTime('UTC'),
    covers_until DateTime('UTC'),
    done_until DateTime('UTC'),
    started_at DateTime64(3, 'UTC'),
    finished_at Nullable(DateTime64(3, 'UTC')),
    minutes UInt64,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (series, source)
SETTINGS fsync_after_insert = 1
