-- Good and bad events per SLI and minute; a later revision replaces an earlier one.
-- series is the hash of what decides the counts (source, filter, good), not of target or window.
CREATE TABLE sli_minutes
(
    series UInt64,
    grp String,
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    good UInt64 CODEC(T64, ZSTD(1)),
    bad UInt64 CODEC(T64, ZSTD(1)),
    revision UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(minute)
ORDER BY (series, grp, minute)
TTL toDate(minute) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1
