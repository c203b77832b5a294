-- Who asked for a run to end, and why. Apart from the run, which its runner replaces with every heartbeat; never deleted.
-- token: the name of the API token that asked, '' where none is needed.
CREATE TABLE run_stops
(
    run_id String,
    at DateTime64(3, 'UTC'),
    author String,
    token String,
    reason String
)
ENGINE = MergeTree
ORDER BY (run_id, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
