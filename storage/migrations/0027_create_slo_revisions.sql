-- What each objective promised, and from when on. The deduplication window makes an insert under the token
-- <slo>:<revision> a compare-and-set, as for alert transitions: of several writers one row is kept.
CREATE TABLE slo_revisions
(
    slo_id String,
    revision UInt32,
    at DateTime64(3, 'UTC'),
    author String,
    commit String,
    digest String,
    series UInt64,
    target String,
    writer String,
    definition String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY (slo_id, revision)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1
