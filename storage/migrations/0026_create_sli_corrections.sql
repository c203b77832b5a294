-- Minutes whose verdict changed after it had been given, and why. The same change noted twice is one row.
CREATE TABLE sli_corrections
(
    at DateTime64(3, 'UTC'),
    slo_id String,
    series UInt64,
    grp String,
    minute DateTime('UTC'),
    good_before UInt64,
    bad_before UInt64,
    good_after UInt64,
    bad_after UInt64,
    verdict_before Enum8('no data' = 0, 'met' = 1, 'missed' = 2),
    verdict_after Enum8('no data' = 0, 'met' = 1, 'missed' = 2),
    cause LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (slo_id, minute, grp, good_before, bad_before, good_after, bad_after)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1
