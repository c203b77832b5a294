-- Services that send more operation names or routes than rollups can bear: the values that are kept, the rest is
-- `__other__` there. An empty list limits nothing. Spans themselves keep what they were sent with.
CREATE TABLE operation_limits
(
    service String,
    environment String,
    names Array(String),
    routes Array(String),
    since DateTime('UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (service, environment)
SETTINGS fsync_after_insert = 1
