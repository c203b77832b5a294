-- Services that send more metric series than can be told apart, and how many they had sent by then; 0 is not limited any
-- more. What they send of series that were not known yet is stored as one series of each metric: see metric_decoded_mv.
CREATE TABLE series_limits
(
    service String,
    environment String,
    series UInt64,
    since DateTime('UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (service, environment)
SETTINGS fsync_after_insert = 1
